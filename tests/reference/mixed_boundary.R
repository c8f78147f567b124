# Crossed models at or near their boundary: R 4.2.2, lme4 1.1-31, pbkrtest 0.5.2, from several
# starts, the best kept. Rscript mixed_boundary.R, in this folder. mixed_boundary_data.csv was
# simulated (numpy seeds 123 and 1366; R seeds 2, 3 and 4).
suppressMessages({library(lme4); library(pbkrtest)})
d <- read.csv("mixed_boundary_data.csv", stringsAsFactors = TRUE)
crossed <- y ~ x + (1 | g) + (1 | h)
slopes <- y ~ x + (1 | g) + (x | h)
cases <- list(
  creeping = list(y ~ z + (1 | g) + (x | h), FALSE), held = list(y ~ b + (1 | g) + (x | h) + (0 + t | g), TRUE),
  zero2 = list(crossed, TRUE), zero3 = list(crossed, TRUE), zero4 = list(crossed, TRUE), zero2 = list(slopes, TRUE), zero3 = list(slopes, TRUE)
)
set.seed(1)
out <- NULL
for (at in seq_along(cases)) {
  formula <- cases[[at]][[1]]; rows <- droplevels(d[d$case == names(cases)[at], ])
  first <- suppressMessages(lmer(formula, rows, REML = cases[[at]][[2]]))
  best <- first
  for (again in 1:12) {
    m <- suppressWarnings(suppressMessages(lmer(formula, rows, REML = cases[[at]][[2]], start = getME(first, "theta") * 0 + rexp(length(getME(first, "theta"))) * 0.5,
      control = lmerControl(optimizer = "nloptwrap", optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5)))))
    if (logLik(m) > logLik(best) + 1e-10) best <- m
  }
  m <- best
  p <- length(fixef(m)); values <- c(log_likelihood = as.numeric(logLik(m)), sigma = sigma(m))
  if (cases[[at]][[2]]) {
    V <- vcovAdj(m)
    values <- c(values, std_error = sqrt(diag(as.matrix(V))), df = sapply(1:p, function(i) Lb_ddf(as.numeric(1:p == i), vcov(m), V)))
  }
  out <- rbind(out, data.frame(case = names(cases)[at], formula = deparse(formula), what = names(values), value = sprintf("%.10g", values)))
}
write.csv(out, "mixed_boundary.csv", row.names = FALSE)
