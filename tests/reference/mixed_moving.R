# Residuals that hold on while people move from team to team: dense REML in base R 4.2.2.
# Rscript mixed_moving.R (writes mixed_moving.csv and mixed_moving_data.csv)
set.seed(20260)
people <- 40; waves <- 6
d <- expand.grid(wave = 0:(waves - 1), person = 1:people)
d$team <- sample(1:8, nrow(d), replace = TRUE)
d$spell <- d$wave %/% 2
noise <- as.vector(apply(matrix(rnorm(nrow(d)), waves), 2, function(z) filter(z, 0.6, method = "recursive")))
d$y <- round(10 + 0.3 * d$wave + rnorm(people)[d$person] + rnorm(8, 0, 1.2)[d$team] + noise, 3)
d <- d[-c(4, 17, 58, 59, 120), ]
within <- function(g) outer(g, g, "==") * 1
fit <- function(parts) {
  X <- cbind(1, d$wave); same <- within(d$person); lag <- abs(outer(d$wave, d$wave, "-"))
  pieces <- function(th) {
    k <- length(parts)
    V <- same * tanh(th[k + 1])^lag
    for (i in seq_along(parts)) V <- V + exp(th[i]) * parts[[i]]
    L <- chol(exp(th[k + 2]) * V)
    Xi <- backsolve(L, X, transpose = TRUE); yi <- backsolve(L, d$y, transpose = TRUE)
    A <- crossprod(Xi); b <- solve(A, crossprod(Xi, yi)); r <- yi - Xi %*% b
    list(value = 2 * sum(log(diag(L))) + c(determinant(A)$modulus) + sum(r^2) + (nrow(d) - 2) * log(2 * pi), b = b, se = sqrt(diag(solve(A))))
  }
  k <- length(parts)
  o <- list(par = c(rep(0, k), 0.3, 0))
  for (again in 1:4) o <- nlminb(o$par, function(th) pieces(th)$value, lower = c(rep(-6, k), -2, -6), upper = c(rep(6, k), 2, 6),
                                 control = list(rel.tol = 1e-15, x.tol = 1e-12))
  at <- pieces(o$par); s <- exp(o$par[k + 2])
  c(log_likelihood = -at$value / 2, sigma2 = s, correlation = tanh(o$par[k + 1]), setNames(exp(o$par[1:k]) * s, names(parts)),
    intercept = at$b[1], wave = at$b[2], se_intercept = at$se[1], se_wave = at$se[2])
}
cases <- list(
  both = list(person = within(d$person), team = within(d$team)),
  teams = list(team = within(d$team)),
  spells = list(person = within(d$person), "person:spell" = within(paste(d$person, d$spell))))
out <- do.call(rbind, lapply(names(cases), function(name) { v <- fit(cases[[name]]); data.frame(case = name, what = names(v), value = sprintf("%.12g", v)) }))
write.csv(out, "mixed_moving.csv", row.names = FALSE, quote = FALSE)
write.csv(d, "mixed_moving_data.csv", row.names = FALSE, quote = FALSE)
