using System.Text.Json;
using Postern.Commands;
using Postern.Commands.Output;

namespace Postern.Tests.Commands;

/// <summary>Runs commands in this process, against a directory of their own, and keeps what they wrote.</summary>
internal sealed class CommandRun : IDisposable
{
    public CommandRun(string configuration = "server: { hostname: mail.example.org, data: data }\n")
    {
        Root = Directory.CreateTempSubdirectory("pst").FullName;
        ConfigFile = Path.Combine(Root, "postern.yaml");
        File.WriteAllText(ConfigFile, configuration);
    }

    public string Root { get; }

    public string ConfigFile { get; }

    public string Data => Path.Combine(Root, "data");

    /// <summary>Runs with this run's configuration.</summary>
    public Task<Result> PosternAsync(params string[] args) => ExecuteAsync([.. args, "--config", ConfigFile]);

    public async Task<JsonElement> JsonAsync(params string[] args)
    {
        var result = await PosternAsync([.. args, "--json"]);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    /// <param name="input">What stands on standard input.</param>
    public Task<Result> WithInputAsync(string input, params string[] args) => ExecuteAsync([.. args, "--config", ConfigFile], input);

    public static async Task<Result> ExecuteAsync(string[] args, string input = "", bool canAsk = false)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var terminal = new Terminal(output, error, new StringReader(input), isInteractive: false, canAsk);
        var exitCode = await PosternCommands.RunAsync(args, terminal, TimeProvider.System, TestContext.Current.CancellationToken);
        return new Result(exitCode, output.ToString(), error.ToString());
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    internal sealed record Result(int ExitCode, string Output, string Error);
}
