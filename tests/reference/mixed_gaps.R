# A small correlation in continuous time where rows lie some units apart: R 4.2.2, nlme.
# mixed_gaps_data.csv was simulated (numpy, seed 5000). Rscript mixed_gaps.R, in this folder
library(nlme)
d <- read.csv("mixed_gaps_data.csv", stringsAsFactors = TRUE)
m <- lme(y ~ x + w, random = ~ 1 | g, data = d, correlation = corCAR1(form = ~ w | g), method = "ML",
  control = lmeControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-10, msTol = 1e-12, returnObject = TRUE))
values <- c(log_likelihood = as.numeric(logLik(m)), correlation = unname(coef(m$modelStruct$corStruct, unconstrained = FALSE)), fixef(m))
write.csv(data.frame(what = names(values), value = sprintf("%.10g", values)), "mixed_gaps.csv", row.names = FALSE, quote = FALSE)
cat(as.character(packageVersion("nlme")), "\n")
