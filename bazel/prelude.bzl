"""A precompiled header: most of what the compiler reads of a test is the same in all of them."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "CPP_COMPILE_ACTION_NAME")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    context = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]).compilation_context
    outputs = []
    if toolchain.compiler == "clang":
        pch = ctx.actions.declare_file(ctx.label.name + ".pch")
        flags = ["-fpch-instantiate-templates", "-Xclang", "-fno-pch-timestamp"]  # Bazel knows when it is out of date
    else:
        pch = ctx.actions.declare_file(ctx.file.hdr.basename + ".gch")

        # What it has read: kept in the .gch, from where -fpch-deps tells Bazel when a file behind it is out of date.
        read = ctx.actions.declare_file(ctx.file.hdr.basename + ".d")
        outputs.append(read)
        flags = ["-MD", "-MF", read.path]

    # The flags must be those of the files that will use it.
    variables = cc_common.create_compile_variables(
        feature_configuration = features,
        cc_toolchain = toolchain,
        source_file = ctx.file.hdr.path,
        output_file = pch.path,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + flags + ["-x", "c++-header"],
        include_directories = context.includes,
        quote_include_directories = context.quote_includes,
        system_include_directories = context.system_includes,
        preprocessor_defines = context.defines,
        use_pic = True,
    )
    ctx.actions.run(
        mnemonic = "CppPrecompile",
        progress_message = "Precompiling %s" % ctx.file.hdr.short_path,
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        env = cc_common.get_environment_variables(
            feature_configuration = features,
            action_name = CPP_COMPILE_ACTION_NAME,
            variables = variables,
        ),
        inputs = depset([ctx.file.hdr], transitive = [context.headers, toolchain.all_files]),
        outputs = outputs + [pch],
        execution_requirements = {"no-cache": "1"},  # clang's names its headers by paths that hold in one output base only
    )
    return [
        DefaultInfo(files = depset([pch])),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = depset([pch, ctx.file.hdr], transitive = [context.headers]),
        )),
    ]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    doc = """`hdr` as <name>.pch for clang's -include-pch, as <hdr>.gch for GCC, which finds it when it is told to
    -include <hdr>. In the deps of those who use it.""",
    attrs = {
        "hdr": attr.label(allow_single_file = [".h"]),
        "deps": attr.label_list(providers = [CcInfo]),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
