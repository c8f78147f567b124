# Newey-West errors of an interrupted series, for test_interrupted_newey_west.py.
# R 4.2.2, sandwich 3.0.2, MASS 7.3-58.2. Data made here.
n <- 60
t <- 0:(n - 1)
size <- 1000 + 5 * t
level <- as.numeric(t >= 36)
y <- c(15, 22, 18, 31, 12, 25, 20, 28, 14, 35, 19, 24, 16, 29, 33, 21, 13, 27, 38, 22,
       17, 30, 24, 41, 19, 26, 35, 23, 15, 32, 28, 44, 20, 25, 37, 29, 12, 18, 22, 9,
       16, 25, 14, 20, 11, 27, 17, 13, 23, 19, 10, 28, 15, 21, 12, 24, 18, 30, 13, 20)
fit <- glm(y ~ t + level + offset(log(size)), family = quasipoisson,
           control = glm.control(epsilon = 1e-13, maxit = 200))
out <- NULL
for (lags in c(1, 4)) {
  v <- sandwich::NeweyWest(fit, lag = lags, prewhite = FALSE, adjust = FALSE)
  out <- rbind(out, data.frame(lags = lags, term = c("intercept", "trend", "level"),
                               log_ratio = coef(fit), std_error = sqrt(diag(v))))
}
write.csv(format(out, digits = 15, trim = TRUE), "interrupted_newey_west.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "; sandwich", as.character(packageVersion("sandwich")), "\n")
