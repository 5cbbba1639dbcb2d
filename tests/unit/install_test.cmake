# An install writes below its prefix alone, and with Slurm's prefix the plugin lands beside Slurm's own.
# DESTDIR catches what would be written elsewhere.
function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code)
  if(code)
    message(FATAL_ERROR "${ARGV}: ${code}\n${said}")
  endif()
endfunction()

file(REMOVE_RECURSE "${FOLDER}")
set(manifest "${BUILD}/install_manifest.txt")
if(EXISTS "${manifest}")
  file(COPY_FILE "${manifest}" "${FOLDER}.manifest")
endif()
run("${CMAKE_COMMAND}" -E env "DESTDIR=${FOLDER}" "${CMAKE_COMMAND}" --install "${BUILD}" --prefix /prefix)
if(EXISTS "${FOLDER}.manifest")
  file(RENAME "${FOLDER}.manifest" "${manifest}")
endif()

file(GLOB written RELATIVE "${FOLDER}" "${FOLDER}/*")
if(NOT written STREQUAL "prefix")
  message(FATAL_ERROR "an install with --prefix /prefix wrote to: ${written}")
endif()
foreach(file bin/berth libexec/berth/berth-node libexec/berth/berth-squashfuse "${PLUGIN_DIR}/spank_berth.so")
  if(NOT EXISTS "${FOLDER}/prefix/${file}")
    message(FATAL_ERROR "an install with --prefix /prefix did not write /prefix/${file}")
  endif()
endforeach()

# The folder by default, as a fresh configuration has it.
cmake_path(GET SLURM_LIBRARY PARENT_PATH slurm_folder)
string(REGEX REPLACE "/lib(64)?/.*" "" prefix "${slurm_folder}")
run("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${FOLDER}/build" "-DCMAKE_INSTALL_PREFIX=${prefix}"
  -DBERTH_MPI_APPS=OFF -DBUILD_TESTING=OFF)
load_cache("${FOLDER}/build" READ_WITH_PREFIX fresh_ BERTH_SLURM_PLUGIN_DIR)
cmake_path(IS_ABSOLUTE fresh_BERTH_SLURM_PLUGIN_DIR absolute)
if(absolute OR NOT "${prefix}/${fresh_BERTH_SLURM_PLUGIN_DIR}" STREQUAL slurm_folder)
  message(FATAL_ERROR "with the prefix '${prefix}' the plugin would go to "
    "'${fresh_BERTH_SLURM_PLUGIN_DIR}', Slurm's are in '${slurm_folder}'")
endif()
file(REMOVE_RECURSE "${FOLDER}")
