# Reference values of generalized and ordinal mixed models.
# glmmTMB and clmm stop short of the optimum; Newton steps on their own
# log-likelihoods (clmm with a tight inner loop) take them there.
# VerbAgg and cbpp come with lme4, wine with ordinal. Run in this folder.
suppressMessages({library(glmmTMB); library(ordinal)})
rows <- list()
add <- function(model, component, term, estimate, std_error = NA) {
  rows[[length(rows) + 1]] <<- data.frame(model, component, term, estimate, std_error)
}

tmb <- function(model, formula, data, family, ...) {
  m <- suppressWarnings(glmmTMB(formula, data, family = family, ...))
  p <- m$fit$par
  for (i in 1:6) {
    H <- optimHess(p, m$obj$fn, m$obj$gr, control = list(ndeps = rep(1e-5, length(p))))
    p <- p - drop(solve(H, drop(m$obj$gr(p))))
  }
  V <- solve(H)
  add(model, "log_likelihood", "", -m$obj$fn(p))
  b <- names(p) == "beta"
  for (i in which(b)) add(model, "fixed", names(fixef(m)$cond)[i], p[i], sqrt(V[i, i]))
  m$obj$fn(p)
  r <- m$obj$env$report(m$obj$env$last.par)
  at <- which(names(p) == "theta")[1]
  for (g in seq_along(r$sd)) {
    sd <- r$sd[[g]]
    G <- outer(sd, sd) * r$corr[[g]]
    name <- names(m$modelInfo$reStruc$condReStruc)[g]
    for (i in seq_along(sd)) for (j in i:length(sd))
      add(model, "variance", paste0(name, i, j), G[i, j],
          if (i == j) 2 * G[i, i] * sqrt(V[at + i - 1, at + i - 1]) else NA)
    at <- at + length(sd) * (length(sd) + 1) / 2
  }
  for (i in which(names(p) == "betad")) if (sum(names(p) == "betad") == 1 && family()$family == "nbinom2")
    add(model, "dispersion", "theta", exp(p[i]), exp(p[i]) * sqrt(V[i, i]))
}

ord <- function(model, formula, data, nAGQ = 1, link = "logit") {
  control <- clmm.control(gradTol = 1e-9, maxIter = 500, maxLineIter = 200, innerCtrl = "noWarn")
  fit <- function(...) suppressWarnings(
    clmm(formula, data = data, nAGQ = nAGQ, link = link, control = control, ...))
  m <- fit()
  rho <- fit(doFit = FALSE)
  # clmm keeps sd where there are several terms, log(sd) where there is one
  single <- length(VarCorr(m)) == 1
  height <- if (single) ordinal:::getNLA.ssr else ordinal:::getNLA
  scale <- if (single) log else identity
  p <- c(coef(m), scale(sapply(VarCorr(m), attr, "stddev")))
  f <- function(p) height(rho, p)
  se <- rep(NA, length(p))
  top <- -as.numeric(logLik(m))
  if (nAGQ == 1) { # the objective with quadrature cannot be reached from outside
    stopifnot(abs(f(p) - top) < 1e-5)
    for (i in 1:3) p <- p - solve(numDeriv::hessian(f, p), numDeriv::grad(f, p))
    se <- sqrt(diag(solve(numDeriv::hessian(f, p))))
    top <- f(p)
  }
  add(model, "log_likelihood", "", -top)
  k <- length(coef(m))
  for (i in 1:k) {
    name <- names(coef(m))[i]
    add(model, if (grepl("|", name, fixed = TRUE)) "threshold" else "fixed", name, p[i], se[i])
  }
  for (g in seq_along(VarCorr(m))) {
    sd <- if (single) exp(p[k + g]) else p[k + g]
    add(model, "variance", names(VarCorr(m))[g], sd^2, 2 * sd * se[k + g] * (if (single) sd else 1))
  }
}

d <- read.csv("mixed_glmm_data.csv")
d$answer <- ordered(d$answer)
for (link in c("logit", "probit", "cloglog"))
  tmb(paste0("binomial-", link), cbind(helped, asked - helped) ~ wave + arm + (wave | person) + (1 | team), d, function() binomial(link))
tmb("poisson", calls ~ wave + arm + offset(log(months)) + (wave | person) + (1 | team), d, poisson)
tmb("negative-binomial", calls ~ wave * arm + offset(log(months)) + (1 | person) + (1 | team), d, nbinom2)
ord("cumulative-logit", answer ~ wave + arm + (1 | person) + (1 | team), d)
ord("cumulative-probit", answer ~ wave + arm + (1 | person) + (1 | team), d, link = "probit")
ord("cumulative-quadrature", answer ~ wave + arm + (1 | person), d, nAGQ = 11)
data(wine); ord("wine", rating ~ temp + contact + (1 | judge), wine)
data(VerbAgg, package = "lme4")
tmb("verbagg", (r2 == "Y") ~ (Anger + Gender + btype + situ)^2 + (1 | id) + (1 | item), VerbAgg, binomial)
data(cbpp, package = "lme4")
tmb("cbpp", cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
out <- do.call(rbind, rows)
out$estimate <- sprintf("%.12g", out$estimate); out$std_error <- sprintf("%.10g", out$std_error)
file <- "mixed_glmm.csv"
cat(sprintf("# %s, glmmTMB %s, ordinal %s\n", R.version.string, packageVersion("glmmTMB"), packageVersion("ordinal")), file = file)
suppressWarnings(write.table(out, file, append = TRUE, sep = ",", row.names = FALSE, quote = TRUE))
