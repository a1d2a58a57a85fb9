using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Machine;
using Postern.Relay.Accounts;
using Postern.Relay.Admin.Import;
using Postern.Relay.Audit;

namespace Postern.Commands.Accounts;

/// <summary>
/// <c>postern account import</c>: users with their hashes, rights and state from files of another program, in one transaction.
/// </summary>
internal static class AccountImportCommand
{
    public static Command Create(CommandContext context)
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Users or rights, several are possible: users come before rights, whatever their order",
            Arity = ArgumentArity.OneOrMore,
        };
        var format = new Option<string?>("--format")
        {
            Description =
                $"What the files are: {string.Join(", ", ImportFormat.All.Select(static f => f.Word))}; guessed from each file unless said",
            HelpName = "FORMAT",
        };
        format.AcceptOnlyFromAmong([.. ImportFormat.All.Select(static f => f.Word)]);
        var domain = new Option<string?>("--domain") { Description = "Put behind names that have no domain", HelpName = "DOMAIN" };
        var scheme = new Option<string?>("--scheme")
        {
            Description = "Of passwords that name no scheme, as Dovecot names it: PLAIN-MD5, SHA256 …",
            HelpName = "SCHEME",
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done, and write nothing" };
        var command = new DocumentedCommand(
            "import",
            "Take over users with their hashes and rights; adds and takes nothing away, so it may be run again. "
                + "Exit 1 when lines were not taken",
            "postern account import /etc/dovecot/users --dry-run",
            "postern account import /etc/dovecot/users /etc/postfix/sender_login_maps").With(
                files, format, domain, scheme, dryRun, context.Json);
        command.SetAction(async arguments =>
        {
            if (context.ReadConfiguration(arguments) is not { } configuration)
                return ExitCode.Usage;
            // What root can read, the owner of the data directory perhaps cannot.
            var asked = new Question(arguments.GetValue(format), arguments.GetValue(domain), arguments.GetValue(scheme));
            var sources = ImmutableArray.CreateBuilder<(ImportSource Source, ImportFormat Format)>();
            foreach (var file in arguments.GetRequiredValue(files))
            {
                if (Open(file, asked, out var source) is { } wrong)
                    return context.Terminal.Fail(wrong.What, wrong.Todo, ExitCode.Usage);
                sources.Add(source);
            }

            if (!context.BecomesOwner(configuration))
                return ExitCode.Usage;
            var isDryRun = arguments.GetValue(dryRun);
            if (!isDryRun && DataDirectory.Prepare(configuration.Server.Data) is { } problem)
                return context.Terminal.Fail(problem.What, problem.Todo);
            return await RunAsync(context, arguments, configuration, asked, sources.ToImmutable(), isDryRun);
        });
        return command;
    }

    private static async ValueTask<int> RunAsync(
        CommandContext context,
        ParseResult arguments,
        PosternConfiguration configuration,
        Question asked,
        ImmutableArray<(ImportSource Source, ImportFormat Format)> sources,
        bool isDryRun)
    {
        var entries = sources.SelectMany(static s => s.Format.Read(s.Source)).ToList();
        await using var directory = isDryRun
            ? DirectoryAccess.OpenToTry(configuration, context.Clock, context.Terminal.Note)
            : DirectoryAccess.Open(configuration, context.Clock, context.Terminal.Note);
        var commands = directory.Commands;
        var report = ProgressLine.Run(
            context.Terminal, "accounts", entries.Count, progress => commands.Import.Run(entries, isDryRun, progress));
        var isGuessed = asked.Format is null;
        var document = new ImportDocument(
            [.. sources.Select(s => new ImportDocument.Source(s.Source.File, s.Format.Word, isGuessed))], report.HasChanged, report);
        context.Show(arguments, document, CommandJson.Readable.ImportDocument, terminal => Print(
            terminal, sources.Select(s => $"{s.Source.File}: {s.Format.Word}{(isGuessed ? ", as it looks" : string.Empty)}"), report));
        return report.NotTaken.IsEmpty ? ExitCode.Ok : ExitCode.No;
    }

    private static Problem? Open(string file, Question asked, out (ImportSource Source, ImportFormat Format) opened)
    {
        opened = default;
        var (lines, wrong) = ImportFormat.ReadLines(file);
        if (wrong is not null)
            return new(wrong, "Nothing was changed. Name a text file that this user may read.");
        if ((asked.Format is { } said ? ImportFormat.Find(said) : ImportFormat.Guess(lines)) is not { } format)
            return new(
                $"{file}: it cannot be told what this is",
                $"Nothing was changed. Say it: --format {string.Join('|', ImportFormat.All.Select(static f => f.Word))}.");
        if (asked.Domain is { } domain && !LoginNames.TryCanonical($"x@{domain}", out _))
            return new($"'{domain}' is not a mail domain", "Nothing was changed.");
        opened = (new ImportSource(file, lines, asked.Domain, asked.Scheme), format);
        return null;
    }

    private static void Print(Terminal terminal, IEnumerable<string> files, ImportReport report)
    {
        foreach (var file in files)
            terminal.Line(PrintableText.Of(file));
        var would = report.IsDryRun ? "would be " : string.Empty;
        terminal.Line(report.HasChanged
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{would}added: "
                    + $"{Count(report.Accounts, "account")}{(report.Disabled > 0 ? $" ({report.Disabled} disabled)" : string.Empty)}, "
                    + $"{Count(report.Passwords, "password")}, {Count(report.Rights, "right")} to send as an address or a domain")
            : report.IsDryRun ? "nothing would change" : "nothing changed");
        if (report.Unchanged > 0)
            terminal.Line($"{Count(report.Unchanged, "entry", "entries")} are so already");
        if (report.Weak is { } weak)
            terminal.Note($"warning: {weak}");
        foreach (var note in report.Notes)
            terminal.Line(PrintableText.Of($"{Place(note)}: {note.Why}"));
        foreach (var left in report.NotTaken)
            terminal.Error.WriteLine(PrintableText.Of($"{Place(left)}: not taken: {left.Why}"));
        if (!report.NotTaken.IsEmpty)
            terminal.Note($"{Count(report.NotTaken.Length, "line")} {(report.IsDryRun ? "would not be" : "not")} taken");
        if (report.IsDryRun)
            terminal.Note("dry run: nothing was written");
    }

    private static string Place(ImportReport.Remark remark) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{remark.File}:{remark.Line}{(remark.Account is { } account ? $": {account}" : string.Empty)}");

    private static string Count(int count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : many ?? one + "s")}");

    private sealed record Question(string? Format, string? Domain, string? Scheme);
}

/// <summary>What <c>account import --json</c> prints.</summary>
internal sealed record ImportDocument(ImmutableArray<ImportDocument.Source> Files, bool HasChanged, ImportReport Report)
{
    /// <param name="IsGuessed">Nobody said what format it is.</param>
    internal sealed record Source(string File, string Format, bool IsGuessed);
}
