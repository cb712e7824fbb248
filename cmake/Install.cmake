# cmake --install build/release --prefix FOLDER: the program, the data that it finds by name, and what
# a library of engines is built against (docs/own_rtl.md).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS tilestrike RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY zoo accelerators data DESTINATION ${CMAKE_INSTALL_DATADIR}/tilestrike)
install(DIRECTORY campaigns/scenarios DESTINATION ${CMAKE_INSTALL_DATADIR}/tilestrike/campaigns)
if(TS_RTL_ENABLED)
  foreach(header
      base/document.h
      base/error.h
      base/fault.h
      base/field_table.h
      base/ids.h
      base/text.h
      bridge/trial/own_judge.h
      rtl/foreign_mesh.h
      rtl/operand_site.h
      rtl/storage.h
      rtl/verilated_registers.h
      sim/mesh/engine.h
      sim/mesh/engine_library.h
      sim/mesh/engine_set.h
      sim/mesh/mesh_config.h
      sim/mesh/mesh_run.h
      sim/mesh/mesh_sites.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tilestrike/${folder})
  endforeach()
  # Where version 0.1 first had them.
  foreach(name engine engine_library mesh_config mesh_run mesh_sites)
    set(forward ${CMAKE_BINARY_DIR}/forward/sim/${name}.h)
    file(CONFIGURE OUTPUT ${forward} CONTENT "#pragma once\n#include \"sim/mesh/${name}.h\"\n")
    install(FILES ${forward} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tilestrike/sim)
  endforeach()
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/TileStrike)
  configure_package_config_file(cmake/TileStrikeConfig.cmake.in
    ${CMAKE_BINARY_DIR}/TileStrikeConfig.cmake INSTALL_DESTINATION ${package}
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR)
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/TileStrikeConfigVersion.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/TileStrikeConfig.cmake
                ${CMAKE_BINARY_DIR}/TileStrikeConfigVersion.cmake DESTINATION ${package})
endif()
