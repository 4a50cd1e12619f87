"""What a user of a library gives to the compiler and the linker, as files for a test that runs them itself."""

def _linkage_impl(ctx):
    headers = []
    directories = []
    archives = []
    flags = []
    for dep in ctx.attr.deps:
        compilation = dep[CcInfo].compilation_context
        headers.append(compilation.headers)
        directories += compilation.includes.to_list() + compilation.system_includes.to_list()
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            flags += linker_input.user_link_flags
            for library in linker_input.libraries:
                archives.append(library.static_library or library.pic_static_library)

    # Header folders are made by the build, below bin_dir; in a test's folder they appear without it.
    generated = ctx.bin_dir.path + "/"
    compile_flags = ctx.actions.declare_file(ctx.label.name + ".compile_flags")
    ctx.actions.write(compile_flags, "".join([
        "-I%s\n" % directory[len(generated):]
        for directory in directories
        if directory.startswith(generated)
    ]))
    link_flags = ctx.actions.declare_file(ctx.label.name + ".link_flags")
    ctx.actions.write(link_flags, "".join([
        "%s\n" % flag
        for flag in [archive.short_path for archive in archives] + flags
    ]))
    return [DefaultInfo(
        files = depset([compile_flags, link_flags]),
        runfiles = ctx.runfiles([compile_flags, link_flags] + archives, transitive_files = depset(transitive = headers)),
    )]

linkage = rule(
    implementation = _linkage_impl,
    doc = "Headers and archives of `deps` as test data, and <name>.compile_flags and <name>.link_flags that name them.",
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)
