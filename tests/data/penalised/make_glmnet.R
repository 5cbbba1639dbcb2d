# glmnet on the problems of sklearn.json, with standardisation and cross-validation.
#
#     Rscript make_glmnet.R > glmnet.json       (Debian 12: r-cran-glmnet 4.1-6, r-cran-jsonlite)
suppressMessages({library(glmnet); library(jsonlite)})
glmnet.control(fdev = 0, devmax = 1)
tight <- list(thresh = 1e-26, maxit = 1e7)
out <- lapply(fromJSON("sklearn.json", simplifyDataFrame = FALSE), function(problem) {
  x <- problem$x
  y <- problem$y
  fold <- rep(1:5, length.out = length(y))
  fit <- function(...) do.call(glmnet, c(list(x, y, ...), tight))
  standard <- fit(lambda = c(1, 0.1, 0.02))
  weighted <- fit(lambda = c(1, 0.1, 0.02), weights = problem$weights)
  path <- fit(nlambda = 30)
  # Given: without, each fold has a sequence of its own, and errors are interpolated.
  lambda <- fit(nlambda = 30, weights = problem$weights)$lambda
  cv <- do.call(cv.glmnet, c(list(x, y, weights = problem$weights, foldid = fold, lambda = lambda),
                             tight))
  list(name = problem$name, lambda = standard$lambda, standard = t(as.matrix(coef(standard))),
       weighted = t(as.matrix(coef(weighted))), path_lambda = path$lambda,
       path_r2 = path$dev.ratio, path_nonzero = path$df, cv_lambda = cv$lambda, cv_error = cv$cvm,
       cv_std_error = cv$cvsd, cv_min = cv$lambda.min, cv_1se = cv$lambda.1se)
})
cat(toJSON(out, digits = NA, auto_unbox = TRUE), "\n")
