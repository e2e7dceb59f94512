
# Packages that a person installs go into the home: only root can write R's own library.
local({
  library_of_home <- Sys.getenv("R_LIBS_USER", "~/R/library")
  if (dir.create(path.expand(library_of_home), showWarnings = FALSE, recursive = TRUE) || dir.exists(library_of_home))
    .libPaths(c(path.expand(library_of_home), .libPaths()))
  options(repos = c(CRAN = "https://cloud.r-project.org"))
})
