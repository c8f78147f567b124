# Negative binomial interrupted series, for test_interrupted_negbin.py.
# R 4.2.2, MASS 7.3-58.2. Data made here, so that nothing but this script is needed.
n <- 60
t <- 0:(n - 1)
size <- 1000 + 5 * t
level <- as.numeric(t >= 36)
y <- c(15, 22, 18, 31, 12, 25, 20, 28, 14, 35, 19, 24, 16, 29, 33, 21, 13, 27, 38, 22,
       17, 30, 24, 41, 19, 26, 35, 23, 15, 32, 28, 44, 20, 25, 37, 29, 12, 18, 22, 9,
       16, 25, 14, 20, 11, 27, 17, 13, 23, 19, 10, 28, 15, 21, 12, 24, 18, 30, 13, 20)
fit <- MASS::glm.nb(y ~ t + level + sin(2 * pi * t / 12) + cos(2 * pi * t / 12) + offset(log(size)),
                    control = glm.control(epsilon = 1e-11, maxit = 200))
s <- summary(fit)$coefficients
out <- data.frame(term = c("intercept", "trend", "level", "sin 1", "cos 1"),
                  log_ratio = s[, 1], std_error = s[, 2])
out <- rbind(out, data.frame(term = c("alpha", "log_likelihood"),
                             log_ratio = c(1 / fit$theta, as.numeric(logLik(fit))), std_error = NA))
write.csv(format(out, digits = 15, trim = TRUE), "interrupted_negbin.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "; MASS", as.character(packageVersion("MASS")), "\n")
