using System.CommandLine;
using System.Text.Json.Serialization.Metadata;
using Postern.Commands.Output;
using Postern.Commands.Queue;
using Postern.Configuration;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Relay.Admin;
using Postern.Relay.Audit;
using Postern.Relay.Spool;
using Postern.Web.Documents;

namespace Postern.Commands;

/// <summary>What all commands share: where they write, and the options that mean the same everywhere.</summary>
internal sealed class CommandContext(Terminal terminal, TimeProvider clock)
{
    public Terminal Terminal => terminal;

    public TimeProvider Clock => clock;

    /// <summary>On every command.</summary>
    public Option<string?> ConfigFile { get; } = new("--config")
    {
        Description = "The configuration file [default: ./postern.yaml, then /etc/postern/postern.yaml]",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <summary>On every command that prints data.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Print one JSON document" };

    /// <summary>Prints a value as the one JSON document that was asked for, or in words.</summary>
    public int Show<T>(ParseResult arguments, T value, JsonTypeInfo<T> type, Action<Terminal> print)
    {
        if (arguments.GetValue(Json))
            terminal.Json(value, type);
        else
            print(terminal);
        return ExitCode.Ok;
    }

    /// <summary>Refuses <c>--config</c> where nothing would read it.</summary>
    public void ReadNoConfiguration(Command command) => command.Validators.Add(result =>
    {
        if (result.GetResult(ConfigFile) is { Implicit: false })
            result.AddError("it reads no configuration, so --config means nothing here");
    });

    /// <summary>
    /// The configuration, or null after every error was printed; the exit code is then <see cref="ExitCode.Usage"/>. Root is the data
    /// directory's owner from here on.
    /// </summary>
    public PosternConfiguration? LoadConfiguration(ParseResult arguments)
    {
        return ReadConfiguration(arguments) is { } configuration && BecomesOwner(configuration) ? configuration : null;
    }

    /// <summary>Asks the running server for what only it knows; without one there is nothing to show or to change.</summary>
    public async Task<int> AskServerAsync(ParseResult arguments, Func<ControlClient, Task<int>> ask, CancellationToken ct)
    {
        if (LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        var data = configuration.Server.Data;
        await using var client = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct);
        return client is null
            ? terminal.Fail($"no server is running on {data}", "Start it: postern serve")
            : await ask(client);
    }

    /// <summary>Root is the data directory's owner from here on; false after the problem was printed.</summary>
    public bool BecomesOwner(PosternConfiguration configuration) => BecomesOwner(configuration.Server.Data);

    private bool BecomesOwner(string data)
    {
        if (DirectoryOwner.Become(data) is not { } problem)
            return true;
        terminal.Fail(problem.What, problem.Todo);
        return false;
    }

    /// <summary>The same for a command that touches nothing in the data directory, or refuses to: it stays who it is.</summary>
    public PosternConfiguration? ReadConfiguration(ParseResult arguments)
    {
        switch (ConfigurationFile.Load(arguments.GetValue(ConfigFile)))
        {
            case ConfigurationOutcome.Valid(var configuration):
                return configuration;
            case ConfigurationOutcome.Invalid(var errors):
                foreach (var error in errors)
                    terminal.Note(error.ToString());
                return null;
            default:
                return null;
        }
    }

    /// <summary>The configuration; null where it holds mistakes, of which nothing is printed.</summary>
    public PosternConfiguration? FindConfiguration(ParseResult arguments) =>
        ConfigurationFile.Load(arguments.GetValue(ConfigFile)) is ConfigurationOutcome.Valid(var configuration) ? configuration : null;

    /// <summary>
    /// The data directory of the configured server, also where the file holds mistakes: a running server can be asked all the same. Null
    /// after every mistake was printed, where it cannot be said.
    /// </summary>
    public string? FindData(ParseResult arguments)
    {
        var asked = arguments.GetValue(ConfigFile);
        var data = ConfigurationFile.Load(asked) is ConfigurationOutcome.Valid(var configuration) ? configuration.Server.Data
            : ConfigurationFile.Find(asked) is { } file ? ConfigurationFile.DataOf(file)
            : null;
        if (data is null)
            ReadConfiguration(arguments);
        return data;
    }

    /// <summary>The configuration with the files that it names; null after everything that stands against it was printed.</summary>
    public async Task<Compiled?> CompileAsync(PosternConfiguration configuration, CompileFor purpose)
    {
        switch (await Compilation.ReadAsync(configuration, purpose, clock, note: terminal.Note))
        {
            case CompileOutcome.Ready(var compiled):
                return compiled;
            case CompileOutcome.Broken(var errors, var todo):
                foreach (var error in errors.SkipLast(1))
                    terminal.Note($"postern: {error}");
                terminal.Fail(errors[^1].ToString(), todo, ExitCode.Usage);
                return null;
            default:
                return null;
        }
    }

    /// <summary>
    /// The queue of the configured server, running or not; null after every configuration error was printed. A server that runs has taken
    /// another file before: mistakes in this one keep nobody from its queue.
    /// </summary>
    public async ValueTask<IQueueAdmin?> OpenQueueAsync(ParseResult arguments, CancellationToken ct)
    {
        var asked = arguments.GetValue(ConfigFile);
        if (ConfigurationFile.Load(asked) is ConfigurationOutcome.Invalid
            && ConfigurationFile.Find(asked) is { } file
            && ConfigurationFile.DataOf(file) is { } data
            && BecomesOwner(data)
            && await QueueAccess.FindServerAsync(data, ct) is { } running)
        {
            terminal.Note($"{file} has mistakes, which 'postern check' tells; the running server goes by what it took before, and answers");
            return running;
        }

        return LoadConfiguration(arguments) is { } configuration
            ? await QueueAccess.OpenAsync(configuration, clock, terminal.Note, ct)
            : null;
    }

    /// <summary>The same, and the filter with what only the log knows.</summary>
    public async ValueTask<(IQueueAdmin Queue, QueueFilter Filter)?> OpenQueueAsync(
        ParseResult arguments, FilterOptions options, QueueFilter filter, CancellationToken ct)
    {
        if (!options.AsksLog(arguments))
            return await OpenQueueAsync(arguments, ct) is { } queue ? (queue, filter) : null;
        if (LoadConfiguration(arguments) is not { } configuration)
            return null;
        var narrowed = await options.WithMessageIdAsync(filter, arguments, configuration.LogsDirectory, ct);
        return (await QueueAccess.OpenAsync(configuration, clock, terminal.Note, ct), narrowed);
    }

    /// <summary>
    /// Opens the directory of the configured server, runs <paramref name="work"/> on it and answers with its exit code. The server may run
    /// meanwhile: it sees the change at the next question.
    /// </summary>
    public Task<int> WithDirectoryAsync(ParseResult arguments, Func<DirectoryAccess, int> work) =>
        WithDirectoryAsync(arguments, directory => ValueTask.FromResult(work(directory)));

    /// <inheritdoc cref="WithDirectoryAsync(ParseResult, Func{DirectoryAccess, int})"/>
    public async Task<int> WithDirectoryAsync(ParseResult arguments, Func<DirectoryAccess, ValueTask<int>> work)
    {
        if (LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return terminal.Fail(problem.What, problem.Todo);
        await using var directory = DirectoryAccess.Open(configuration, clock, terminal.Note);
        return await work(directory);
    }

    /// <summary>Changes one account, and prints what became of it.</summary>
    public Task<int> ChangeAccountAsync(
        ParseResult arguments, Func<DirectoryCommands, AdminOutcome> change, CancellationToken ct, int alreadyThere = ExitCode.Ok) =>
        WithDirectoryAsync(
            arguments, async directory => Report(arguments, await directory.WithHintAsync(change(directory.Commands), ct), alreadyThere));

    /// <summary>
    /// The same for a change that takes something away: the sessions of a running server that rested on it end now, and their number is
    /// told.
    /// </summary>
    public async Task<int> TakeAwayAsync(
        ParseResult arguments, Func<DirectoryCommands, AdminOutcome> change, CancellationToken ct, int alreadyThere = ExitCode.Ok)
    {
        if (LoadConfiguration(arguments) is not { } configuration)
            return ExitCode.Usage;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return terminal.Fail(problem.What, problem.Todo);
        AdminOutcome outcome;
        await using (var directory = DirectoryAccess.Open(configuration, clock, terminal.Note))
            outcome = await directory.WithHintAsync(change(directory.Commands), ct);
        if (outcome is not (AdminOutcome.Done or AdminOutcome.Issued))
            return Report(arguments, outcome, alreadyThere);
        var (ended, said) = await EndSessionsAsync(configuration, ct);
        return Report(arguments, outcome with { Message = outcome.Message + said }, sessionsEnded: ended);
    }

    private static async Task<(int? Ended, string Said)> EndSessionsAsync(PosternConfiguration configuration, CancellationToken ct)
    {
        try
        {
            await using var server = await ControlClient.ConnectAsync(DataDirectory.ControlSocket(configuration.Server.Data), ct);
            if (server is null)
                return (null, string.Empty);
            var ended = (await server.ReviewSessionsAsync(ct)).Ended;
            return (ended, ended switch { 0 =>
                "; no open session rested on it", 1 => "; 1 open session ended", _ => $"; {ended} open sessions ended" });
        }
        catch (IOException)
        {
            return (null, "; a server runs that cannot be asked, and ends the sessions that rested on it within seconds");
        }
    }

    /// <summary>Prints what became of a change, and answers with its exit code.</summary>
    /// <param name="alreadyThere">The exit code where nothing had to be changed.</param>
    public int Report(ParseResult arguments, AdminOutcome outcome, int alreadyThere = ExitCode.Ok, int? sessionsEnded = null)
    {
        var exitCode = outcome switch
        {
            AdminOutcome.Done or AdminOutcome.Issued => ExitCode.Ok,
            AdminOutcome.AlreadyThere => alreadyThere,
            AdminOutcome.NotFound => ExitCode.No,
            _ => ExitCode.Usage,
        };
        if (arguments.GetValue(Json))
            terminal.Json(
                OutcomeDocument.Of(outcome, exitCode == ExitCode.Ok) with { SessionsEnded = sessionsEnded },
                ApiJson.Readable.OutcomeDocument);
        else if (exitCode == ExitCode.Ok)
            terminal.Line(PrintableText.Of(outcome.Message));
        else
            terminal.Error.WriteLine($"postern: {PrintableText.Of(outcome.Message)}");
        return exitCode;
    }
}
