# Profile likelihoods with residual structures on Orthodont (Potthoff & Roy 1964), by a dense
# likelihood of our own and nlminb; its optima are those of nlme.
# R 4.2.2, nlme 3.1-162: Rscript mixed_profiles_residual.R, in this folder
suppressMessages(library(nlme)); options(digits = 15)
O <- as.data.frame(Orthodont); O$wave <- (O$age - 8) / 2
O$distance <- as.numeric(O$distance); O$Subject <- as.character(O$Subject)
gone <- c(3, 10, 18, 30, 31, 50, 77)
X <- function(d) model.matrix(~ age * Sex, d)

# Subjects with the same ages and sex share all but y: one covariance for each such pattern.
patterns <- function(d) lapply(split(d, d$Subject), function(s) s) |>
  (\(s) split(s, sapply(s, function(p) paste(p$Sex[1], paste(p$age, collapse = " ")))))() |>
  lapply(function(s) list(d = s[[1]], n = length(s), Y = do.call(cbind, lapply(s, `[[`, "distance"))))

# Minus twice the log-likelihood, beta profiled out; a coefficient `at` may be held at `value`.
deviance <- function(par, parts, model, at = NULL, value = NULL) {
  XX <- 0; XY <- 0; YY <- 0; det <- 0; n <- 0
  for (p in parts) {
    V <- model(par, p$d); C <- chol(V); A <- X(p$d); Y <- p$Y
    if (!is.null(at)) { Y <- Y - A[, at] * value; A <- A[, -at, drop = FALSE] }
    A <- backsolve(C, A, transpose = TRUE); Y <- backsolve(C, Y, transpose = TRUE)
    XX <- XX + p$n * crossprod(A); XY <- XY + crossprod(A, rowSums(Y)); YY <- YY + sum(Y^2)
    det <- det + 2 * p$n * sum(log(diag(C))); n <- n + length(Y)
  }
  n * log(2 * pi) + det + YY - sum(XY * solve(XX, XY))
}

sds <- function(par, d) exp(par["sigma"] + ifelse(d$Sex == "Female", par["tau"], 0) / 2)
models <- list(
  ar1 = function(par, d) exp(2 * par["sd"]) +
    exp(2 * par["sigma"]) * tanh(par["phi"])^abs(outer(d$wave, d$wave, "-")),
  both = function(par, d) exp(2 * par["sd"]) +
    outer(sds(par, d), sds(par, d)) * plogis(par["phi"])^abs(outer(d$age, d$age, "-")),
  slope = function(par, d) {
    s <- exp(par[c("sd", "sd_age")]); off <- s[1] * s[2] * tanh(par["cor"])
    Z <- cbind(1, d$age)
    Z %*% matrix(c(s[1]^2, off, off, s[2]^2), 2) %*% t(Z) + diag(sds(par, d)^2)
  },
  gls = function(par, d) exp(2 * par["sigma"]) * tanh(par["phi"])^abs(outer(d$wave, d$wave, "-"))
)
starts <- list(
  ar1 = c(sd = 0.5, sigma = 0.3, phi = 0), both = c(sd = 0.5, sigma = 0.5, phi = -0.5, tau = -1.5),
  slope = c(sd = 0.6, sd_age = -2, cor = -0.4, sigma = 0.5, tau = -1.8), gls = c(sigma = 0.8, phi = 0.7))
into <- list(sd = log, sd_age = log, sigma = log, cor = atanh, phi = atanh, tau = identity)
out <- list(sd = exp, sd_age = exp, sigma = exp, cor = tanh, phi = tanh, tau = identity)
control <- list(rel.tol = 1e-13, x.tol = 1e-10, eval.max = 5000, iter.max = 2000)

best <- function(start, f) {
  # Far starts too: a profile may have two branches.
  found <- list(nlminb(start, f, control = control))
  for (move in c(-1, 1)) found <- c(found, list(nlminb(start + move * 0.7, f, control = control)))
  found <- found[[which.min(sapply(found, `[[`, "objective"))]]
  nlminb(found$par, f, control = control)
}

bound <- qnorm(0.975)
limits <- function(estimate, step, least, profile, low, high) {
  excess <- function(v) sqrt(max(profile(v) - least, 0)) - bound
  one <- function(side) {
    edge <- if (side < 0) low else high
    inner <- estimate
    repeat {
      outer <- inner + side * step
      if (side * (outer - edge) >= 0) {
        if (excess(edge - side * 1e-7) <= 0) return(edge)
        outer <- edge - side * 1e-7
      }
      if (excess(outer) > 0) return(uniroot(excess, sort(c(inner, outer)), tol = 1e-9)$root)
      inner <- outer
    }
  }
  c(one(-1), one(1))
}

rows <- NULL
keep <- function(case, what, value) rows <<- rbind(rows,
  data.frame(case = case, what = what, value = sprintf("%.12g", value)))
for (case in names(models)) {
  d <- if (case == "both") O[-gone, ] else O
  parts <- patterns(d); model <- models[[case]]
  f <- function(par) deviance(par, parts, model)
  top <- best(starts[[case]], f)
  keep(case, "log_likelihood", -top$objective / 2)
  for (name in names(top$par)) {
    to <- into[[name]]; from <- out[[name]]
    if (case == "both" && name == "phi") { to <- qlogis; from <- plogis }
    low <- c(sd = 0, sd_age = 0, sigma = 0, cor = -1, phi = if (case == "both") 0 else -1, tau = -Inf)[[name]]
    high <- c(sd = Inf, sd_age = Inf, sigma = Inf, cor = 1, phi = 1, tau = Inf)[[name]]
    rest <- setdiff(names(top$par), name)
    profile <- function(v) best(top$par[rest], function(p) {
      par <- top$par; par[rest] <- p; par[name] <- to(v); f(par)
    })$objective
    estimate <- from(top$par[[name]])
    keep(case, paste(c("estimate", "low", "high"), name),
      c(estimate, limits(estimate, if (is.finite(low) && is.finite(high)) 0.1 else 0.2 * abs(estimate), top$objective, profile, low, high)))
  }
  for (at in c(2, 4)) {
    g <- function(v) nlminb(top$par, deviance, parts = parts, model = model, at = at, value = v, control = control)$objective
    estimate <- optimize(g, c(-1.5, 1.5), tol = 1e-10)$minimum
    keep(case, paste(c("estimate", "low", "high"), colnames(X(d))[at]),
      c(estimate, limits(estimate, 0.1, top$objective, g, -Inf, Inf)))
  }
}
ct <- lmeControl(msMaxIter = 500, msTol = 1e-12, tolerance = 1e-12, niterEM = 50, msMaxEval = 2000)
keep("ar1", "nlme log_likelihood", as.numeric(logLik(lme(distance ~ age * Sex, random = ~ 1 | Subject,
  data = O, correlation = corAR1(form = ~ wave | Subject), method = "ML", control = ct))))
keep("both", "nlme log_likelihood", as.numeric(logLik(lme(distance ~ age * Sex, random = ~ 1 | Subject,
  data = O[-gone, ], correlation = corCAR1(form = ~ age | Subject), weights = varIdent(form = ~ 1 | Sex),
  method = "ML", control = ct))))
keep("slope", "nlme log_likelihood", as.numeric(logLik(lme(distance ~ age * Sex, random = ~ age | Subject,
  data = O, weights = varIdent(form = ~ 1 | Sex), method = "ML", control = ct))))
keep("gls", "nlme log_likelihood", as.numeric(logLik(gls(distance ~ age * Sex, data = O, method = "ML",
  correlation = corAR1(form = ~ wave | Subject), control = glsControl(msTol = 1e-12, tolerance = 1e-12)))))
write.csv(rows, "mixed_profiles_residual.csv", row.names = FALSE)
