# Reference values of linear mixed models whose designs go wrong easily: unbalanced, crossed and
# nested, factors that vary, no intercept, splines, weights, missing rows, a singular fit.
# mixed_designs_data.csv was simulated (numpy, seed 77). Run in this folder.
suppressMessages(library(lme4))
d <- read.csv("mixed_designs_data.csv", check.names = FALSE, stringsAsFactors = TRUE)
for (name in c("person", "team", "item")) d[[name]] <- factor(d[[name]])
loose <- list()
for (name in c("grad", "singular", "hess")) loose[[paste0("check.conv.", name)]] <- "ignore"
control <- do.call(lmerControl, c(loose, list(
  check.nobs.vs.nRE = "ignore", optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6)
)))
rows <- list()
add <- function(model, component, value) {
  rows[[length(rows) + 1]] <<- data.frame(
    model, component, place = seq_along(value), value = formatC(value, digits = 12, format = "g")
  )
}
fit <- function(model, formula, ...) {
  m <- suppressWarnings(do.call(lmer, c(list(formula, data = d, control = control), list(...))))
  add(model, "fixed", fixef(m))
  add(model, "std_error", sqrt(diag(as.matrix(vcov(m)))))
  add(model, "variance", sort(unlist(lapply(VarCorr(m), function(G) G[lower.tri(G, TRUE)]))))
  add(model, "sigma", sigma(m))
  add(model, "log_likelihood", as.numeric(logLik(m)))
}
fit("crossed", y ~ wave * arm + (1 | person) + (1 | item))
fit("weights", y ~ wave * arm + (wave | person) + (1 | team) + (1 | item), weights = d$w)
fit("factor varies", y ~ wave + (0 + kind | team) + (1 | person))
fit("double bar", y ~ wave + (wave || person) + (1 | item))
fit("offset", y ~ wave + arm + (1 | person), offset = d$off, weights = d$w)
fit("ml", y ~ wave * kind + (wave | person), REML = FALSE)
fit("truth values", y ~ wave * yes + (1 | person))
fit("two groups", y ~ wave + (1 | two) + (1 | person))
fit("singular", flat ~ wave + (1 | person) + (1 | team))
fit("no intercept", y ~ 0 + arm + wave:arm + (0 + wave | person) + (1 | person))
fit("poly", y ~ poly(wave, 2) * arm + (1 | person))
fit("splines", y ~ splines::bs(wave, df = 4) + (1 | person))
fit("cells", y ~ wave + (1 | team:kind) + (1 | person))
fit("missing rows", ymiss ~ wave * arm + (wave | person))
fit("arithmetic", y ~ log(month + 1) + I(month^2) + (1 | person))
fit("odd name", `my score (0-10)` ~ wave + (1 | person))
file <- file("mixed_designs.csv", "w")
cat("# ", R.version.string, ", lme4 ", as.character(packageVersion("lme4")), "\n", sep = "", file = file)
write.csv(do.call(rbind, rows), file, row.names = FALSE)
close(file)
