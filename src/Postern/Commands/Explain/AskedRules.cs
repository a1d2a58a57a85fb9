using System.CommandLine;
using Postern.Configuration;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Web.Documents;

namespace Postern.Commands.Explain;

/// <summary>
/// Who is asked what would be decided: the running server, which knows what was counted; else the configuration file, by the code of the
/// server.
/// </summary>
internal sealed class AskedRules : IAsyncDisposable
{
    private readonly ControlClient? server;
    private readonly string? file;
    private readonly Rehearsal? rehearsal;
    private readonly string? source;
    private Problem? problem;

    private AskedRules(ControlClient? server, string? file, Rehearsal? rehearsal, string? source, string why) =>
        (this.server, this.file, this.rehearsal, this.source, Why) = (server, file, rehearsal, source, why);

    /// <summary>Why the file has to do.</summary>
    public string Why { get; }

    /// <summary>Null after everything that stands against it was printed.</summary>
    /// <param name="data">The data directory of the server: a file with mistakes says where it is, and the server is who decides.</param>
    public static async Task<AskedRules?> OpenAsync(CommandContext context, ParseResult arguments, string data, CancellationToken ct)
    {
        var (server, why) = await ConnectAsync(data, ct);
        if (server is not null)
            return new AskedRules(server, ConfigurationFile.Find(arguments.GetValue(context.ConfigFile)), null, null, why);
        if (context.LoadConfiguration(arguments) is not { } configuration)
            return null;
        if (DataDirectory.Prepare(configuration.Server.Data) is { } problem)
            return new AskedRules(null, null, null, null, why) { problem = problem };

        return await context.CompileAsync(configuration, CompileFor.Asking) is { } compiled
            ? new AskedRules(null, null, Rehearsal.Open(compiled, context.Clock), configuration.Source, why)
            : null;
    }

    public async Task<WhatIfAnswer> AnswerAsync(WhatIf question, CancellationToken ct) =>
        problem is not null ? new WhatIfAnswer { Problem = new(problem.What, problem.Todo) }
        : server is not null ? Compared(await server.ExplainAsync(question, ct))
        : await question.AnswerAsync(rehearsal!.Snapshot, ct) with { Configuration = new(rehearsal.Snapshot.Id, source!) };

    public async ValueTask DisposeAsync()
    {
        rehearsal?.Dispose();
        if (server is not null)
            await server.DisposeAsync();
    }

    private static async Task<(ControlClient? Server, string Why)> ConnectAsync(string data, CancellationToken ct)
    {
        try
        {
            return (await ControlClient.ConnectAsync(DataDirectory.ControlSocket(data), ct), $"no server is running on {data}");
        }
        catch (IOException e)
        {
            return (null, e.Message);
        }
    }

    /// <summary>The server knows whether its own file has changed, and not which one was meant here.</summary>
    private WhatIfAnswer Compared(WhatIfAnswer answer) =>
        file is null || answer.Configuration.File is null || Path.GetFullPath(file) == answer.Configuration.File
            ? answer
            : answer with
            {
                Configuration = answer.Configuration with
                {
                    Differs = $"the server runs by {answer.Configuration.File}, and not by {file}",
                },
            };
}
