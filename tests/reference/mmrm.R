# Mixed model for repeated measures (unstructured covariance, maximum
# likelihood) for test_mmrm.py. R 4.2.2, nlme 3.1-162. The data are simulated:
# 60 people, two arms, three waves, some missing at random.
library(nlme)
d <- read.csv("mmrm_data.csv")
d$w <- as.integer(factor(d$wave))
fit <- gls(score ~ 0 + arm:wave, data = d, method = "ML", na.action = na.omit,
           correlation = corSymm(form = ~ w | participant),
           weights = varIdent(form = ~ 1 | wave),
           control = glsControl(tolerance = 1e-12, msTol = 1e-12, maxIter = 500, msMaxIter = 500))
b <- coef(fit)
V <- vcov(fit)
L <- as.numeric(names(b) == "armE:waveT2") - as.numeric(names(b) == "armC:waveT2")
out <- data.frame(term = c(names(b), "E-C at T2"),
                  estimate = c(b, sum(L * b)),
                  std_error = c(sqrt(diag(V)), sqrt(as.numeric(t(L) %*% V %*% L))))
write.csv(format(out, digits = 15, trim = TRUE), "mmrm.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "; nlme", as.character(packageVersion("nlme")), "\n")
