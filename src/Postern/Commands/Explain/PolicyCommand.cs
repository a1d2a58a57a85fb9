using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Hosting.Live;

namespace Postern.Commands.Explain;

/// <summary><c>postern policy diff</c>: what a changed configuration would have decided otherwise.</summary>
internal static class PolicyCommand
{
    private static readonly Moment LastWeek = new(TimeSpan.FromDays(7), At: null);

    public static Command Create(CommandContext context)
    {
        var files = new Argument<string[]>("FILES")
        {
            Description = "The changed configuration; or two of them, the old one first",
            HelpName = "[OLD] NEW",
            Arity = new ArgumentArity(1, 2),
        };
        var since = new Option<Moment?>("--since")
        {
            Description = "Decisions of the log since then: so long ago, or a time of UTC [default: 7d]",
            HelpName = "TIME",
            CustomParser = Moment.Parse,
        };
        var diff = new DocumentedCommand(
            "diff",
            "Decide again, by two configurations, what the log says was decided; exit 1 where they differ",
            "postern policy diff changed.yaml --since 7d",
            "postern policy diff old.yaml new.yaml --since 2026-11-01 --json").With(files, since, context.Json);
        diff.SetAction((arguments, ct) => RunAsync(
            context, arguments, arguments.GetValue(files)!, (arguments.GetValue(since) ?? LastWeek).From(context.Clock.GetUtcNow()), ct));
        return new DocumentedCommand("policy", "Compare policies", "postern policy diff changed.yaml --since 7d").With(diff);
    }

    private static async Task<int> RunAsync(
        CommandContext context, ParseResult arguments, string[] files, DateTimeOffset since, CancellationToken ct)
    {
        // The log and the accounts are those of the present configuration, whichever file says it.
        var present = arguments.GetValue(context.ConfigFile);
        if (present is null && files.Length == 2)
            present = files[0];
        if (Read(context, present) is not { } configuration || !context.BecomesOwner(configuration))
            return ExitCode.Usage;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return context.Terminal.Fail(problem.What, problem.Todo);
        if (await OpenAsync(context, files.Length == 2 ? files[0] : present, configuration, ct) is not { } before)
            return ExitCode.Usage;
        using (before)
        {
            if (await OpenAsync(context, files[^1], configuration, ct) is not { } after)
                return ExitCode.Usage;
            using (after)
            {
                var document = await new PolicyDiff(before.Snapshot, after.Snapshot).RunAsync(
                    configuration.LogsDirectory, since, NameOf(files.Length == 2 ? files[0] : present), files[^1], ct);
                context.Show(arguments, document, CommandJson.Readable.PolicyDiffDocument, document.WriteTo);
                return document.Changes.IsEmpty ? ExitCode.Ok : ExitCode.No;
            }
        }
    }

    private static string NameOf(string? file) => ConfigurationFile.Find(file) ?? "the defaults";

    /// <summary>Null after everything that is wrong was printed.</summary>
    private static PosternConfiguration? Read(CommandContext context, string? file)
    {
        switch (ConfigurationFile.Load(file))
        {
            case ConfigurationOutcome.Valid(var configuration):
                return configuration;
            case ConfigurationOutcome.Invalid(var errors):
                foreach (var error in errors)
                    context.Terminal.Note(error.ToString());
                return null;
            default:
                return null;
        }
    }

    private static async Task<Rehearsal?> OpenAsync(
        CommandContext context, string? file, PosternConfiguration present, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (Read(context, file) is not { } configuration
            || await context.CompileAsync(Beside(configuration, present), CompileFor.Asking) is not { } compiled)
            return null;
        return Rehearsal.Open(compiled with { Configuration = Beside(compiled.Configuration, present) }, context.Clock);
    }

    /// <summary>A copy of a file that lies elsewhere has no data directory beside it: both ask the accounts that there are.</summary>
    private static PosternConfiguration Beside(PosternConfiguration configuration, PosternConfiguration present) =>
        configuration with { Server = configuration.Server with { Data = present.Server.Data } };
}
