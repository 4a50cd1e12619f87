"""Libraries of the system as C++ targets.

Their headers are in /usr/include, where every compiler looks; what a target adds is how to link them.
"""

def system_static_library(name, archives, **kwargs):
    """Static archives of a Debian package, for example libabsl_time.a for "absl_time".

    Args:
      name: the target.
      archives: names without "lib" and ".a", with everything they need themselves, in any order.
      **kwargs: handed to cc_library.
    """
    native.cc_library(
        name = name,
        linkopts = ["-Wl,--start-group"] +
                   ["-l:lib%s.a" % archive for archive in archives] +
                   ["-Wl,--end-group", "-lpthread"],
        visibility = ["//visibility:public"],
        **kwargs
    )

def system_shared_library(name, libraries, **kwargs):
    """Shared libraries of a Debian package.

    Args:
      name: the target.
      libraries: names without "lib" and ".so".
      **kwargs: handed to cc_library.
    """
    native.cc_library(
        name = name,
        linkopts = ["-l" + library for library in libraries],
        visibility = ["//visibility:public"],
        **kwargs
    )
