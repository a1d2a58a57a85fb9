using System.CommandLine;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Hosting.Data;
using Postern.Machine;

namespace Postern.Commands;

/// <summary><c>postern init</c>: a commented configuration and the data directory, where neither is yet.</summary>
internal static class InitCommand
{
    private const string Template = """
        # Postern. What is commented out is the default; every key is in docs/configuration.md; `postern check` validates.

        server:
          # hostname: mail.example.org      # the name others see; left out: this machine's name
          data: postern-data                # accounts, messages, logs

        # tls:                              # left out: a self-signed certificate, made at first start
        #   certificate: fullchain.pem
        #   key: privkey.pem
        #   minimum: "1.2"

        listeners:
          - name: submission
            listen: ["127.0.0.1:2587", "[::1]:2587"]      # for everyone: ["0.0.0.0:587", "[::]:587"]
            tls: starttls                   # none | starttls | required | implicit
            auth: tls-only                  # off | tls-only | always
          - name: submissions
            listen: ["127.0.0.1:2465", "[::1]:2465"]      # for everyone: ["0.0.0.0:465", "[::]:465"]
            tls: implicit

        # limits: { connections: 20000, connections_per_address: 50, message_size: 50MB, recipients: 1000, idle: 5m }

        # domains: [example.org]            # recipient domains accepted from anyone

        # Without a route every message is held until there is one.
        # delivery:
        #   routes:
        #     - { to: "*", via: "smtp://relay.example.net:25" }     # or mx: the mail exchangers of the recipient's domain
        #   retry: { first: 1m, factor: 2, most: 4h, give_up: 5d }

        """;

    public static Command Create(CommandContext context)
    {
        var directory = new Argument<string>("DIR") { Description = "Where to write", DefaultValueFactory = static _ => "." };
        var command = new DocumentedCommand(
            "init", "Write a commented postern.yaml and create the data directory", "postern init /etc/postern").With(directory);
        context.ReadNoConfiguration(command);
        command.SetAction(arguments => Run(context, arguments.GetRequiredValue(directory)));
        return command;
    }

    private static int Run(CommandContext context, string directory)
    {
        var terminal = context.Terminal;
        var file = Path.Combine(directory, ConfigurationFile.Name);
        if (DirectoryOwner.Become(directory) is { } foreign)
            return terminal.Fail(foreign.What, foreign.Todo);
        Directory.CreateDirectory(directory);
        try
        {
            using var stream = new FileStream(file, FileMode.CreateNew);
            using var writer = new StreamWriter(stream);
            writer.Write(Template.ReplaceLineEndings("\n"));
        }
        catch (IOException) when (File.Exists(file))
        {
            return terminal.Fail($"{file} is there already", "Nothing was changed. Remove the file first, or name another directory.");
        }

        var data = Path.Combine(directory, "postern-data");
        var isNew = !Directory.Exists(data);
        if (DataDirectory.Prepare(Path.GetFullPath(data)) is { } problem)
            return terminal.Fail(problem.What, problem.Todo);

        var config = directory == "." ? string.Empty : $" --config {file}";
        terminal.Line($"wrote {file}, created {data}");
        terminal.Line();
        terminal.Line("Next:");
        if (isNew && UserIdentity.IsRoot)
            terminal.Line($"  chown USER: {data}    # the user that postern runs as; now it is root's");
        terminal.Line($"  postern account add you@example.org{config}");
        terminal.Line($"  postern credential add you@example.org --generate{config}");
        terminal.Line($"  postern serve{config}");
        return ExitCode.Ok;
    }
}
