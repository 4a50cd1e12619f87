"""A program built as with -c opt, whatever the configuration: for a test that counts instructions."""

def _to_opt_impl(_settings, _attr):
    return {"//command_line_option:compilation_mode": "opt"}

_to_opt = transition(
    implementation = _to_opt_impl,
    inputs = [],
    outputs = ["//command_line_option:compilation_mode"],
)

def _optimized_impl(ctx):
    program = ctx.attr.program[0][DefaultInfo]  # a list, since an attribute's transition may split
    link = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = link,
        target_file = program.files_to_run.executable,
        is_executable = True,
    )
    return [DefaultInfo(
        executable = link,
        runfiles = program.default_runfiles,
    )]

optimized = rule(
    implementation = _optimized_impl,
    doc = "`program` once more, compiled and linked with -c opt.",
    attrs = {
        "program": attr.label(
            cfg = _to_opt,
            executable = True,
            mandatory = True,
        ),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
