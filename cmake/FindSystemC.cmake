# Finds SystemC where the distribution installs no CMake package, and defines SystemC::systemc.
#
# SC_CPLUSPLUS: the library exports its version symbol for C++17 only. The definition makes C++20
# sources ask for that symbol; it belongs to this target and to nothing else.
find_path(SystemC_INCLUDE_DIR NAMES systemc HINTS ENV SYSTEMC_HOME PATH_SUFFIXES include)
find_library(SystemC_LIBRARY NAMES systemc HINTS ENV SYSTEMC_HOME
             PATH_SUFFIXES lib lib64 lib-linux64)

if(SystemC_INCLUDE_DIR)
  set(SystemC_VERSION "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS ${SystemC_INCLUDE_DIR}/sysc/kernel/sc_ver.h line
         REGEX "define SC_VERSION_${part} +[0-9]+" LIMIT_COUNT 1)
    if(line MATCHES "([0-9]+)")
      string(APPEND SystemC_VERSION ".${CMAKE_MATCH_1}")
    endif()
  endforeach()
  string(REGEX REPLACE "^\\." "" SystemC_VERSION "${SystemC_VERSION}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  SystemC REQUIRED_VARS SystemC_LIBRARY SystemC_INCLUDE_DIR VERSION_VAR SystemC_VERSION
  REASON_FAILURE_MESSAGE "install libsystemc-dev, or set SYSTEMC_HOME")

if(SystemC_FOUND AND NOT TARGET SystemC::systemc)
  add_library(SystemC::systemc UNKNOWN IMPORTED)
  set_target_properties(
    SystemC::systemc PROPERTIES IMPORTED_LOCATION ${SystemC_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${SystemC_INCLUDE_DIR}
    INTERFACE_COMPILE_DEFINITIONS SC_CPLUSPLUS=201703L)
endif()
mark_as_advanced(SystemC_INCLUDE_DIR SystemC_LIBRARY)
