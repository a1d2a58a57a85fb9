using System.Collections.Immutable;
using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Configuration.Reading;
using Postern.Hosting;
using Postern.Relay.Accounts.Stores;

namespace Postern.Commands;

/// <summary><c>postern check</c>: every error of the configuration, and whether the files it names can be used. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new DocumentedCommand(
            "check", "Validate the configuration and the files it names; exit 2 on errors", "postern check", "postern check --config /etc/postern/postern.yaml --json").With(context.Json);
        command.SetAction((arguments, ct) => RunAsync(context, arguments, ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, CancellationToken ct)
    {
        var asked = arguments.GetValue(context.ConfigFile);
        var outcome = ConfigurationFile.Load(asked);
        var (errors, warnings) = outcome switch
        {
            ConfigurationOutcome.Valid(var valid) => await CheckFilesAsync(valid, context.Clock.GetUtcNow(), ct),
            ConfigurationOutcome.Invalid(var invalid) => (invalid, []),
            _ => ([], []),
        };

        var source = ConfigurationFile.Find(asked) ?? "defaults";
        if (arguments.GetValue(context.Json))
            context.Terminal.Json(new CheckDocument(errors.IsEmpty, source, [.. errors.Select(Finding)], [.. warnings.Select(Finding)]), CommandJson.Readable.CheckDocument);
        else
            Print(context.Terminal, outcome, errors, warnings);
        return errors.IsEmpty ? ExitCode.Ok : ExitCode.Usage;
    }

    private static async Task<(ImmutableArray<ConfigurationError> Errors, ImmutableArray<ConfigurationError> Warnings)> CheckFilesAsync(PosternConfiguration configuration, DateTimeOffset now, CancellationToken ct)
    {
        var errors = ImmutableArray.CreateBuilder<ConfigurationError>();
        var warnings = ImmutableArray.CreateBuilder<ConfigurationError>();
        // What root can read, the server may not be able to.
        if (DirectoryOwner.Become(configuration.Server.Data) is { } foreign)
            errors.Add(configuration.ErrorAt("server.data", foreign.What));
        var certificates = new List<X509Certificate2>();
        foreach (var outcome in ServerCertificates.Configured(configuration, now))
        {
            switch (outcome)
            {
                case CertificateOutcome.Unusable(var key, var problem):
                    errors.Add(configuration.ErrorAt(key, problem.What));
                    break;
                case CertificateOutcome.Loaded loaded:
                    certificates.Add(loaded.Certificate);
                    if (await CertificateTrial.WhyNotShownAsync(loaded.Certificate, loaded.Chain) is { } unseen)
                        warnings.Add(configuration.ErrorAt(loaded.Key, unseen));
                    warnings.AddRange(loaded.Warnings.Select(doubt => configuration.ErrorAt(loaded.Key, doubt)));
                    break;
            }
        }

        if (configuration.Tls.CertificateFile is null)
            certificates.Insert(0, SelfSignedCertificate.Make(configuration.Server.Hostname.Text, now));
        if (certificates.Count > 0)
            warnings.AddRange(await ProtocolFloor.WarnAsync(configuration, certificates[0]));
        foreach (var certificate in certificates)
            certificate.Dispose();

        var problems = LoginSources.Load(configuration, now, out var logins, out var doubts);
        errors.AddRange(problems.Select(found => configuration.ErrorAt(found.Key, found.Problem.What)));
        warnings.AddRange(configuration.Doubts.Concat(doubts).Select(doubt => configuration.ErrorAt(doubt.Key, doubt.Text)));
        logins?.Dispose();

        var data = configuration.Server.Data;
        if ((DataDirectory.WhyNotUsable(data) ?? ControlServer.WhyNot(DataDirectory.ControlSocket(data))) is { } unusable)
            errors.Add(configuration.ErrorAt("server.data", unusable.What));
        else if (DataDirectory.WhyNotUsable(configuration.LogsDirectory, "the log directory") is { } deaf)
            warnings.Add(configuration.ErrorAt("logs.directory", $"{deaf.What}; nothing would be written down"));
        if (DataDirectory.Warning(data) is { } open)
            warnings.Add(configuration.ErrorAt("server.data", open));
        foreach (var (key, file) in configuration.SecretFiles)
        {
            if (OpenFile.Warning("the secret in", file) is { } exposed)
                warnings.Add(configuration.ErrorAt(key, exposed));
        }

        foreach (var (account, i) in configuration.Accounts.Select(static (account, i) => (account, i)))
        {
            var source = configuration.ToAccounts().Sources[i];
            if (source.Realm != configuration.Realm)
                warnings.Add(configuration.ErrorAt($"accounts[{i}].realm", $"a second realm beside '{configuration.Realm}': most clients take the first that is offered, and their users cannot log in by DIGEST-MD5 in this one"));
            warnings.AddRange(AccountStores.Of(source)!.Warn(source).Select(doubt => configuration.ErrorAt($"accounts[{i}].uri", doubt)));
        }

        foreach (var (issuer, i) in configuration.OAuth.Select(static (issuer, i) => (issuer, i)))
        {
            if (issuer.KeySet is { IsFile: true } keys && !File.Exists(keys.LocalPath))
                warnings.Add(configuration.ErrorAt($"oauth[{i}].jwks", $"{keys.LocalPath} does not exist: tokens of this issuer are answered 454 until it does"));
        }

        if (configuration.Delivery.Routes.IsEmpty)
            warnings.Add(configuration.ErrorAt("delivery.routes", "there is no route: messages are accepted and held until there is one"));
        return (errors.ToImmutable(), warnings.ToImmutable());
    }

    private static void Print(Terminal terminal, ConfigurationOutcome outcome, ImmutableArray<ConfigurationError> errors, ImmutableArray<ConfigurationError> warnings)
    {
        foreach (var error in errors)
            terminal.Note(error.ToString());
        foreach (var warning in warnings)
            terminal.Note($"warning: {warning}");
        if (!errors.IsEmpty || outcome is not ConfigurationOutcome.Valid(var configuration))
            return;

        terminal.Line($"ok: {configuration.Source}");
        var summary = new TablePage("what", "value")
            .Row("hostname", configuration.Server.Hostname.Text)
            .Row("data", configuration.Server.Data)
            .Row("certificate", configuration.Tls.CertificateFile ?? "self-signed, in the data directory");
        foreach (var listener in configuration.Listeners)
            summary.Row($"listener {listener.Name}", $"{ListenerText.Describe(listener)}{ListenerText.Offer(configuration, listener)}");
        foreach (var route in configuration.Delivery.Routes)
            summary.Row($"route {route.Route.Name}", RouteText.Describe(route));
        summary
            .Row("message size", SizeText.Format(configuration.Limits.MessageSize))
            .Row("logs", configuration.LogsDirectory)
            .WriteTo(terminal);
    }

    private static CheckDocument.Finding Finding(ConfigurationError error) =>
        new(error.File, error.Line, error.Column, error.Key, error.Message, error.Expected, error.Nearest);
}
