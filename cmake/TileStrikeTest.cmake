# ts_add_test(NAME room/topic SOURCES file.cpp... LIBRARIES lib... [LABELS fast|slow] [TIMEOUT s])
# One GoogleTest executable per topic: SystemC allows one kernel per process.
function(ts_add_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  string(REPLACE "/" "_" target "test_${T_NAME}")
  add_executable(${target} ${T_SOURCES})
  # GoogleTest's main() first: libsystemc has one, too.
  target_link_libraries(${target} PRIVATE GTest::gtest_main GTest::gtest ${T_LIBRARIES})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300)
  endif()
  if(NOT T_LABELS)
    set(T_LABELS fast)
  endif()
  add_test(NAME ${T_NAME} COMMAND ${target})
  set_tests_properties(${T_NAME} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}"
    ENVIRONMENT
    "TILESTRIKE_ROOT=${CMAKE_SOURCE_DIR};TILESTRIKE_BUILD=${CMAKE_BINARY_DIR};OMP_NUM_THREADS=1"
    SKIP_REGULAR_EXPRESSION "SKIPPED:")
endfunction()
