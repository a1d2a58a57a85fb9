using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration;
using Postern.Configuration.Devices;
using Postern.Configuration.Reading;
using Postern.Hosting.Control;
using Postern.Hosting.Data;
using Postern.Hosting.Live;
using Postern.Machine;
using Postern.Relay.Delivery.Aliases;
using Postern.Relay.Delivery.Tls;

namespace Postern.Commands;

/// <summary><c>postern check</c>: every error of the configuration, and whether the files it names can be used. Changes nothing.</summary>
internal static class CheckCommand
{
    public static Command Create(CommandContext context)
    {
        var live = new Option<bool>("--live")
        {
            Description = "Ask each store of accounts too, as a login would, by a name that nobody has",
        };
        var command = new DocumentedCommand(
            "check",
            "Validate the configuration and the files it names; exit 2 on errors, 1 where a store that is tried cannot answer",
            "postern check",
            "postern check --live",
            "postern check --config /etc/postern/postern.yaml --json").With(live, context.Json);
        command.SetAction((arguments, ct) => RunAsync(context, arguments, arguments.GetValue(live), ct));
        return command;
    }

    private static async Task<int> RunAsync(CommandContext context, ParseResult arguments, bool isLive, CancellationToken ct)
    {
        var asked = arguments.GetValue(context.ConfigFile);
        var outcome = ConfigurationFile.Load(asked);
        var findings = outcome switch
        {
            ConfigurationOutcome.Valid(var valid) => await CheckFilesAsync(valid, context.Clock),
            ConfigurationOutcome.Invalid(var invalid) => new Findings(invalid, [], []),
            _ => new Findings([], [], []),
        };
        if (isLive && findings.Errors.IsEmpty && outcome is ConfigurationOutcome.Valid(var live))
            findings = findings with { Stores = await StoreTrial.RunAsync(live, context.Clock, ct) ?? [] };
        var (errors, warnings, _) = findings;

        var source = ConfigurationFile.Find(asked) ?? "defaults";
        if (arguments.GetValue(context.Json))
            context.Terminal.Json(
                new CheckDocument(
                    errors.IsEmpty && findings.AllAnswer, source, [.. errors.Select(Finding)], [.. warnings.Select(Finding)])
                {
                    Stores = isLive ? findings.Stores : null,
                    Devices = errors.IsEmpty && outcome is ConfigurationOutcome.Valid(var sound) ? DeviceText.DocumentsOf(sound) : [],
                },
                CommandJson.Readable.CheckDocument);
        else
            Print(context.Terminal, outcome, findings);
        return !errors.IsEmpty ? ExitCode.Usage : findings.AllAnswer ? ExitCode.Ok : ExitCode.No;
    }

    private static async Task<Findings> CheckFilesAsync(PosternConfiguration configuration, TimeProvider clock)
    {
        ImmutableArray<ImmutableArray<string>> offers = [];
        var aliases = AliasTable.Empty;
        var errors = ImmutableArray.CreateBuilder<ConfigurationError>();
        var warnings = ImmutableArray.CreateBuilder<ConfigurationError>();
        // What root can read, the server may not be able to.
        if (DirectoryOwner.Become(configuration.Server.Data) is { } foreign)
            errors.Add(configuration.ErrorAt("server.data", foreign.What));
        switch (await Compilation.ReadAsync(configuration, CompileFor.Checking, clock))
        {
            case CompileOutcome.Ready(var compiled):
                warnings.AddRange(compiled.Warnings);
                aliases = compiled.Aliases;
                if (Rehearsal.Offers(compiled, clock) is { } known)
                    offers = known;
                else
                    warnings.Add(configuration.ErrorAt(
                        "server.data",
                        "neither here nor in the temporary directory can anything be written: what listeners offer is not said"));
                break;
            case CompileOutcome.Broken(var broken, _):
                errors.AddRange(broken);
                break;
        }

        var data = configuration.Server.Data;
        if ((DataDirectory.WhyNotUsable(data) ?? ControlServer.WhyNot(DataDirectory.ControlSocket(data))) is { } unusable)
            errors.Add(configuration.ErrorAt("server.data", unusable.What));
        else if (DataDirectory.WhyNotUsable(configuration.LogsDirectory, "the log directory") is { } deaf)
            warnings.Add(configuration.ErrorAt("logs.directory", $"{deaf.What}; nothing would be written down"));
        if (DataDirectory.Warning(data) is { } open)
            warnings.Add(configuration.ErrorAt("server.data", open));
        return new Findings(errors.ToImmutable(), warnings.ToImmutable(), offers) { Aliases = aliases };
    }

    private static void Print(Terminal terminal, ConfigurationOutcome outcome, Findings findings)
    {
        var (errors, warnings, offers) = findings;
        foreach (var error in errors)
            terminal.Note(error.ToString());
        foreach (var warning in warnings)
            terminal.Note($"warning: {warning}");
        if (!errors.IsEmpty || outcome is not ConfigurationOutcome.Valid(var configuration))
            return;

        foreach (var store in findings.Stores.Where(static one => one.Trouble is not null))
            terminal.Note($"{configuration.ErrorAt(store.Key, $"{store.Store} cannot answer: {store.Trouble}")}");
        terminal.Line(
            findings.AllAnswer ? $"ok: {configuration.Source}" : $"{configuration.Source} is right, and not every store answers");
        var summary = new TablePage("what", "value")
            .Row("hostname", configuration.Server.Hostname.Text)
            .Row("data", configuration.Server.Data)
            .Row("certificate", configuration.Tls.CertificateFile ?? "self-signed, in the data directory");
        foreach (var (listener, offer) in configuration.Listeners.Zip(offers))
        {
            var mechanisms = offer.IsEmpty ? string.Empty : $": {string.Join(' ', offer)}";
            summary.Row($"listener {listener.Name}", $"{ListenerText.Describe(listener)}{mechanisms}");
        }

        foreach (var devices in configuration.Devices)
            summary.Row($"devices {devices.Terms.Name}", DeviceText.Describe(devices));
        foreach (var store in findings.Stores)
            summary.Row(
                $"store {store.Store}",
                store.Trouble is null
                    ? string.Create(CultureInfo.InvariantCulture, $"answers, in {store.Milliseconds:0} ms")
                    : $"CANNOT ANSWER: {store.Trouble}");
        foreach (var route in configuration.Delivery.Routes)
            summary.Row($"route {route.Route.Name}", route.Destination);
        foreach (var (file, names) in findings.Aliases.Sources)
            summary.Row(
                file.Form == AliasForm.Aliases ? "aliases" : "forwards",
                string.Create(CultureInfo.InvariantCulture, $"{file.File}, {names} {(names == 1 ? "name" : "names")}"));
        if (configuration.Files.TryGetValue("delivery.shaping", out var shaping))
            summary.Row(
                "shaping",
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{shaping}: {configuration.Delivery.Shaping.Entries.Length} entries, "
                        + $"{(configuration.Delivery.Shaping.WithShipped ? "over those that ship" : "and none that ship")}"));
        var tls = configuration.Delivery.Tls.Tls;
        foreach (var rule in tls.Equals(DeliveryTls.Opportunistic) ? [] : tls.Rules.Prepend(tls.Default))
            summary.Row($"tls to {rule.To}", TlsCheckDocument.PolicyOf(rule));
        summary
            .Row("message size", SizeText.Format(configuration.Limits.MessageSize))
            .Row("logs", configuration.LogsDirectory)
            .WriteTo(terminal);
    }

    /// <param name="Offers">The mechanisms of each listener; empty where there is something wrong.</param>
    private sealed record Findings(
        ImmutableArray<ConfigurationError> Errors,
        ImmutableArray<ConfigurationError> Warnings,
        ImmutableArray<ImmutableArray<string>> Offers)
    {
        public AliasTable Aliases { get; init; } = AliasTable.Empty;

        /// <summary>Those that were tried.</summary>
        public ImmutableArray<StoreTrialOutcome> Stores { get; init; } = [];

        public bool AllAnswer => Stores.All(static one => one.Trouble is null);
    }

    private static CheckDocument.Finding Finding(ConfigurationError error) =>
        new(error.File, error.Line, error.Column, error.Key, error.Message, error.Expected, error.Nearest);
}
