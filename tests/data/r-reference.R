# Makes r-reference.json: what R 4.2.2 with sandwich 3.0-2 and lmtest 0.9-40 says about fits that the
# tests repeat. Needs Debian's r-base-core, r-cran-sandwich and r-cran-lmtest.
#
#   dataset import california-housing.csv.gz -o housing.h5 --target median_house_value --missing drop
#   dataset export housing.h5 -o housing.csv
#   Rscript r-reference.R housing.csv nist/Longley.dat > r-reference.json
suppressMessages({library(sandwich); library(lmtest)})

paths <- commandArgs(trailingOnly = TRUE)
number <- function(x) ifelse(is.finite(x), sprintf("%.17g", x), "null")
list_of <- function(x) paste0("[", paste(number(x), collapse = ","), "]")
object <- function(...) {
  parts <- list(...)
  paste0("{", paste0('"', names(parts), '":', unlist(parts), collapse = ",\n"), "}")
}

describe <- function(fit) {
  s <- summary(fit)
  f <- s$fstatistic
  w <- if (is.null(weights(fit))) 1 else sqrt(weights(fit))
  ci <- confint(fit, level = 0.99)
  object(
    estimate = list_of(s$coefficients[, 1]), std_error = list_of(s$coefficients[, 2]),
    t = list_of(s$coefficients[, 3]), p = list_of(s$coefficients[, 4]),
    ci_low = list_of(ci[, 1]), ci_high = list_of(ci[, 2]),
    residual_std_error = number(s$sigma), df = s$df[2], r2 = number(s$r.squared),
    adjusted_r2 = number(s$adj.r.squared), f_statistic = number(f[1]),
    f_p_value = number(pf(f[1], f[2], f[3], lower.tail = FALSE)),
    log_likelihood = number(c(logLik(fit))), aic = number(AIC(fit)), bic = number(BIC(fit)),
    residuals = list_of(quantile(w * residuals(fit))))
}

influence_of <- function(fit) object(
  leverage = list_of(hatvalues(fit)), standardised = list_of(rstandard(fit)),
  studentised = list_of(rstudent(fit)), cooks_distance = list_of(cooks.distance(fit)))

# 1 / (1 - R2) of each column on the others.
vif <- function(fit, w) {
  x <- model.matrix(fit)[, -1]
  sapply(seq_len(ncol(x)), function(j) 1 / (1 - summary(lm(x[, j] ~ x[, -j], weights = w))$r.squared))
}

robust <- function(fit, cluster) {
  types <- c(hc0 = "HC0", hc1 = "HC1", hc2 = "HC2", hc3 = "HC3")
  errors <- lapply(types, function(type) list_of(sqrt(diag(vcovHC(fit, type = type)))))
  wald <- waldtest(fit, vcov = vcovHC(fit, type = "HC1"))
  do.call(object, c(errors, list(
    clustered = list_of(sqrt(diag(vcovCL(fit, cluster = cluster, type = "HC1")))),
    hc1_f = number(wald$F[2]))))
}

table <- read.csv(paths[1], check.names = FALSE)
x <- as.matrix(table[, -ncol(table)])
y <- table[, ncol(table)]
housing <- lm(y ~ x)
age <- table[, "housing_median_age"]

lines <- readLines(paths[2])
longley <- read.table(text = tail(lines, 16))
lx <- as.matrix(longley[, -1])
ly <- longley[, 1]
plain <- lm(ly ~ lx)
w <- c(1, 2, 0.5, 3, 1, 0, 1.25, 1, 2, 0.75, 1, 4, 1, 0, 1.5, 1)
weighted <- lm(ly ~ lx[, 1:3], weights = w)
groups <- rep(c("north", "east", "south", "west"), 4)
through_zero <- lm(ly ~ 0 + lx[, 1:3])

cat(object(
  housing = describe(housing), housing_vif = list_of(vif(housing, NULL)),
  housing_robust = robust(housing, age), housing_dw = number(dwtest(housing)$statistic),
  longley = describe(plain), longley_influence = influence_of(plain),
  longley_robust = robust(plain, groups), longley_vif = list_of(vif(plain, NULL)),
  longley_dw = number(dwtest(plain)$statistic),
  longley_press = number(sum((residuals(plain) / (1 - hatvalues(plain)))^2)),
  weighted = describe(weighted), weighted_vif = list_of(vif(weighted, w)),
  weighted_influence = influence_of(weighted),
  through_zero = describe(through_zero)), "\n")
