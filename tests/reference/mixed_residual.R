# Residual structures by nlme on its Orthodont data (Potthoff & Roy 1964).
# R 4.2.2, nlme 3.1-162, emmeans 1.8.4.1: Rscript mixed_residual.R, in this folder
suppressMessages({library(nlme); library(emmeans)}); options(digits = 15)
ct <- lmeControl(msMaxIter = 500, msTol = 1e-12, tolerance = 1e-12, niterEM = 50, msMaxEval = 2000)
O <- as.data.frame(Orthodont); O$wave <- (O$age - 8) / 2
gone <- c(3, 10, 18, 30, 31, 50, 77)
out <- NULL
keep <- function(case, m) {
  s <- coef(m$modelStruct, unconstrained = FALSE)
  v <- as.numeric(VarCorr(m)[, "Variance"])
  row <- function(what, value) data.frame(case = case, what = what, value = sprintf("%.12g", value))
  out <<- rbind(out, row("log_likelihood", as.numeric(logLik(m))), row("sigma2", m$sigma^2),
    row("intercept variance", getVarCov(m)[1, 1]),
    row(paste("beta", names(fixef(m))), fixef(m)), row(paste("se", names(fixef(m))), sqrt(diag(vcov(m)))),
    row(names(s)[-1], s[-1]))
}
keep("varIdent", lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O, weights = varIdent(form = ~ 1 | Sex), control = ct))
keep("corAR1", lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O, correlation = corAR1(form = ~ wave | Subject), control = ct))
keep("varExp", lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O, weights = varExp(form = ~ age), method = "ML", control = ct))
keep("corCAR1", lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O[-gone, ], correlation = corCAR1(form = ~ age | Subject), control = ct))
keep("both", lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O[-gone, ], correlation = corAR1(form = ~ wave | Subject), weights = varIdent(form = ~ 1 | Sex), control = ct))
# Normalized residuals of waves with gaps are not those of the fitted correlation: all waves here.
whole <- lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O, correlation = corAR1(form = ~ wave | Subject), weights = varIdent(form = ~ 1 | Sex), control = ct)
b <- ranef(whole)
out <- rbind(out,
  data.frame(case = "whole", what = paste("normalized", O$Subject, O$age), value = sprintf("%.12g", resid(whole, type = "normalized"))),
  data.frame(case = "whole", what = paste("effect", rownames(b)), value = sprintf("%.12g", b[, 1])))
g <- gls(distance ~ age * Sex, data = O, correlation = corAR1(form = ~ wave | Subject), control = glsControl(msTol = 1e-12, tolerance = 1e-12))
out <- rbind(out, data.frame(case = "gls", what = c("log_likelihood", "sigma2", paste("beta", names(coef(g))), paste("se", names(coef(g))), "phi"),
  value = sprintf("%.12g", c(as.numeric(logLik(g)), g$sigma^2, coef(g), sqrt(diag(vcov(g))), coef(g$modelStruct, unconstrained = FALSE)))))
# Marginal means, their difference and slopes, and the ratio test, with both structures.
gaps <- function(...) lme(distance ~ age * Sex, random = ~ 1 | Subject, data = O[-gone, ], control = ct, ...)
both <- list(correlation = corCAR1(form = ~ age | Subject), weights = varIdent(form = ~ 1 | Sex))
m <- do.call(gaps, both)
means <- emmeans(m, ~ Sex, at = list(age = 12), mode = "asymptotic", data = O[-gone, ])
table <- function(what, found) out <<- rbind(out, data.frame(case = "means",
  what = paste(c("estimate", "se"), rep(what, each = 2)), value = sprintf("%.12g", c(t(found)))))
table(c("Male", "Female"), as.data.frame(means)[c("emmean", "SE")])
table("difference", as.data.frame(pairs(means, reverse = TRUE))[c("estimate", "SE")])
table(c("slope Male", "slope Female"), as.data.frame(
  emtrends(m, ~ Sex, var = "age", mode = "asymptotic", data = O[-gone, ]))[c("age.trend", "SE")])
ratio <- 2 * (logLik(do.call(gaps, c(both, method = "ML"))) - logLik(gaps(method = "ML")))
out <- rbind(out, data.frame(case = "means", what = "ratio", value = sprintf("%.12g", as.numeric(ratio))))
write.csv(out, "mixed_residual.csv", row.names = FALSE)
O$distance <- as.numeric(O$distance)
write.csv(O[c("distance", "age", "Subject", "Sex", "wave")], "mixed_residual_data.csv", row.names = FALSE, quote = FALSE)
