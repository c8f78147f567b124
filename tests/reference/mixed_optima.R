# Small tables whose deviance has two optima, or (slow) a far way to its one: R 4.2.2, lme4 1.1-31, from several starts, the best kept.
# Rscript mixed_optima.R, in this folder
suppressMessages(library(lme4))
d <- read.csv("mixed_optima_data.csv", stringsAsFactors = TRUE)
cases <- list(boundary = list(y ~ x + f + (0 + x | g), FALSE), slope = list(y ~ x + f + (0 + x | g), TRUE), inside = list(y ~ x + (0 + x | g), FALSE), slow = list(y ~ x + (f | g), FALSE))
out <- NULL
for (case in names(cases)) {
  rows <- d[d$case == case, ]
  fits <- lapply(c(0.001, 0.1, 1, 10, 100), function(start) suppressWarnings(suppressMessages(lmer(cases[[case]][[1]], rows, REML = cases[[case]][[2]],
    start = start * if (case == "slow") c(1, 0, 0, 1, 0, 1) else 1, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12, maxfun = 1e5))))))
  m <- fits[[which.max(sapply(fits, logLik))]]
  out <- rbind(out, data.frame(case = case, what = c("log_likelihood", "variance", names(fixef(m))), value = sprintf("%.12g", c(logLik(m), VarCorr(m)$g[1, 1], fixef(m)))))
}
write.csv(out, "mixed_optima.csv", row.names = FALSE, quote = FALSE)
