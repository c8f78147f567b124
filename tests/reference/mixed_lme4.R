# Type II tests, contests and a likelihood ratio on the BtheB trial, and profile intervals.
# R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2. The data (btheb.csv, sleepstudy.csv,
# pastes.csv) are those of HSAUR and lme4. Run in this folder, with the real data beside the checkout;
# the values printed are typed into the test.
suppressMessages({library(lmerTest); library(pbkrtest)}); options(digits = 12)
folder <- "../../../shared/data/mixed"
if (!file.exists(folder)) { message(folder, " is not there"); quit(status = 0) }
d <- read.csv(file.path(folder, "btheb.csv")); d$treatment <- factor(d$treatment, c("TAU", "BtheB"))
m <- lmer(bdi ~ bdi.pre + time * length + treatment * drug + (time | subject), d,
  control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
print(anova(m, type = 2, ddf = "Satterthwaite")); print(anova(m, type = 2, ddf = "Kenward-Roger"))
L <- rbind(c(0, 0, 1, 0, 0, 0, 0, 0), c(0, 0, 0, 1, 1, 0, 0, 0))
print(contest(m, L)); print(contest(m, L, ddf = "Kenward-Roger"))
print(anova(update(m, . ~ . - time:length), m))
print(confint(lme4::lmer(Reaction ~ Days + (Days | Subject), read.csv(file.path(folder, "sleepstudy.csv")))))
print(confint(lme4::lmer(strength ~ 1 + (1 | sample) + (1 | batch), read.csv(file.path(folder, "pastes.csv")))))
