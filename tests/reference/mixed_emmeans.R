# Marginal means, contrasts and slopes by emmeans, with Kenward–Roger degrees of freedom.
# Run in this folder, with the folder of real data beside the checkout.
suppressMessages({library(lme4); library(emmeans)})
file <- "../../../shared/data/mixed/btheb.csv"
if (!file.exists(file)) { message(file, " is not there; values kept"); quit(status = 0) }
b <- read.csv(file, stringsAsFactors = TRUE)
b$treatment <- relevel(b$treatment, "TAU"); b$subject <- factor(b$subject)
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12))
m <- lmer(bdi ~ bdi.pre + time * treatment + drug + length + (1 | subject), b, control = tight)
rows <- list()
keep <- function(what, s, labels) {
  s <- as.data.frame(s)
  value <- if ("emmean" %in% names(s)) s$emmean else if ("estimate" %in% names(s)) s$estimate else s[[grep("trend", names(s))]]
  rows[[length(rows) + 1]] <<- data.frame(what, term = labels(s), estimate = value, std_error = s$SE, df = s$df)
}
msg <- suppressMessages
keep("means", msg(emmeans(m, "treatment", at = list(time = 8))), function(s) paste("treatment =", s$treatment))
keep("two", msg(emmeans(m, c("drug", "treatment"))), function(s) paste0("treatment = ", s$treatment, ", drug = ", s$drug))
e <- msg(emmeans(m, ~ treatment | time, at = list(time = c(2, 8))))
keep("contrasts", contrast(e, "revpairwise"), function(s) paste0("time = ", s$time, ", contrast = ", s$contrast))
keep("slopes", msg(emtrends(m, "treatment", var = "time")), function(s) paste0("treatment = ", s$treatment, ", slope = time"))
out <- do.call(rbind, rows)
for (i in c("estimate", "std_error", "df")) out[[i]] <- sprintf("%.10g", out[[i]])
file <- "mixed_emmeans.csv"
cat(sprintf("# %s, lme4 %s, emmeans %s, pbkrtest %s\n", R.version.string, packageVersion("lme4"), packageVersion("emmeans"), packageVersion("pbkrtest")), file = file)
suppressWarnings(write.table(out, file, append = TRUE, sep = ",", row.names = FALSE))
