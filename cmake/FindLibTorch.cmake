# LibTorch as one imported target, `torch`. It is searched in this order:
#   1. TILESTRIKE_LIBTORCH, variable or environment: the folder with LibTorch's include/ and lib/
#   2. CMAKE_PREFIX_PATH, variable or environment
#   3. the torch wheel in .venv of the checkout, which ./quickstart installs
# LibTorch's own package file is not used: of a CUDA build it demands the whole CUDA toolkit, which
# no source here needs.
set(TS_LIBTORCH_OLDEST 2.9)

set(_hints ${TILESTRIKE_LIBTORCH} $ENV{TILESTRIKE_LIBTORCH})
list(APPEND _hints ${CMAKE_PREFIX_PATH})
string(REPLACE ":" ";" _prefixes "$ENV{CMAKE_PREFIX_PATH}")
list(APPEND _hints ${_prefixes})
file(GLOB _wheel LIST_DIRECTORIES true
     ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
list(APPEND _hints ${_wheel})

# torch.utils.cmake_prefix_path names share/cmake inside of the folder that is meant.
set(LibTorch_FOLDER "")
foreach(_hint IN LISTS _hints)
  foreach(_folder ${_hint} ${_hint}/../..)
    if(NOT LibTorch_FOLDER AND EXISTS ${_folder}/include/ATen/core/Tensor.h)
      get_filename_component(LibTorch_FOLDER ${_folder} REALPATH)
    endif()
  endforeach()
endforeach()

set(LibTorch_VERSION "")
set(LibTorch_HAS_CUDA OFF)
if(LibTorch_FOLDER)
  set(_version_header ${LibTorch_FOLDER}/include/torch/headeronly/version.h)
  if(EXISTS ${_version_header})
    file(STRINGS ${_version_header} _lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    string(REGEX REPLACE "[^0-9;]" "" _numbers "${_lines}")
    string(REPLACE ";" "." LibTorch_VERSION "${_numbers}")
  else()
    set(LibTorch_VERSION 0)  # the header came with 2.9
  endif()
  if(EXISTS ${LibTorch_FOLDER}/lib/libtorch_cuda.so)
    set(LibTorch_HAS_CUDA ON)
  endif()
endif()

if(LibTorch_VERSION AND LibTorch_VERSION VERSION_LESS TS_LIBTORCH_OLDEST)
  message(FATAL_ERROR "LibTorch in ${LibTorch_FOLDER} is older than ${TS_LIBTORCH_OLDEST}; name a "
                      "newer one in TILESTRIKE_LIBTORCH, or let ./quickstart install one")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  LibTorch REQUIRED_VARS LibTorch_FOLDER VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE
    "LibTorch was not found: run ./quickstart (it installs it into .venv), or name an installed one in TILESTRIKE_LIBTORCH, or configure with -DTS_WITH_TORCH=OFF")

if(LibTorch_FOUND AND NOT TARGET torch)
  add_library(torch INTERFACE IMPORTED)
  target_include_directories(torch SYSTEM INTERFACE ${LibTorch_FOLDER}/include)
  # libtorch.so holds nothing but the list of the libraries whose operators register themselves.
  target_link_libraries(torch INTERFACE
    -Wl,--no-as-needed ${LibTorch_FOLDER}/lib/libtorch.so -Wl,--as-needed
    ${LibTorch_FOLDER}/lib/libtorch_cpu.so ${LibTorch_FOLDER}/lib/libc10.so)
endif()
