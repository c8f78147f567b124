# G² of two counts in corpora of two sizes is the deviance that a Poisson model with a rate for each
# corpus gains over one rate for both; ratio estimators as in Cochran (1977), eq. 6.13, without the
# correction for finite populations. Run: Rscript keyness.R > keyness.csv
cat(sprintf("# %s\n", R.version.string))
people <- data.frame(
  group = rep(c("t", "r"), c(4, 3)),
  uses = c(3, 0, 5, 2, 1, 0, 1),
  words = c(100, 80, 150, 70, 120, 90, 60)
)
sums <- aggregate(cbind(uses, words) ~ group, people, sum)
two <- glm(uses ~ group, poisson, sums, offset = log(words))
one <- glm(uses ~ 1, poisson, sums, offset = log(words))
g2 <- deviance(one) - deviance(two)
log_rate_var <- function(d) {
  m <- nrow(d)
  r <- sum(d$uses) / sum(d$words)
  m / (m - 1) * sum((d$uses - r * d$words)^2) / sum(d$uses)^2
}
t <- subset(people, group == "t"); r <- subset(people, group == "r")
estimate <- log2((sum(t$uses) / sum(t$words)) / (sum(r$uses) / sum(r$words)))
se <- sqrt(log_rate_var(t) + log_rate_var(r)) / log(2)
reach <- qt(0.975, nrow(people) - 2) * se
cat("name,value\n")
cat(sprintf("g2,%.15g\nestimate,%.15g\nconf_low,%.15g\nconf_high,%.15g\n",
            g2, estimate, estimate - reach, estimate + reach))
