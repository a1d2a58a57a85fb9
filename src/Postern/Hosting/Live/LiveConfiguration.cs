using System.Collections.Immutable;
using Postern.Configuration;
using Postern.Hosting.Certificates;
using Postern.Machine;
using Postern.Relay.Audit.Events;
using Postern.Relay.DovecotAuth;
using Postern.Relay.Runtime;
using Postern.Smtp;
using Postern.Smtp.Transport;
using Postern.Web.Documents;

namespace Postern.Hosting.Live;

/// <summary>
/// The configuration a running server goes by, and the way to another one: the file by <c>postern reload</c> or SIGHUP, the secrets,
/// authorities and keys that it names whenever they change. A configuration is taken whole or not at all; why it was not is kept until it
/// is mended.
/// </summary>
internal sealed class LiveConfiguration : IAsyncDisposable
{
    private const string Changed = "a changed configuration";
    private const string ChangedNamed = "a changed file that it names";
    private const string ChangedInVault = "a changed secret in Vault";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    private readonly string? asked;
    private readonly RelayService relay;
    private readonly Action<string> note;
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly SemaphoreSlim turn = new(1);
    private readonly SecretsInVault secrets;
    private readonly ITimer refresh;
    private string known;
    private string seen;
    private CertificateWatch? watch;
    private ImmutableArray<ConfigurationError> problemsOfFile = [];
    private ImmutableArray<ConfigurationError> problemsOfNamed = [];
    private ImmutableArray<ConfigurationError> problemsOfVault = [];
    private bool isDisposed;

    /// <param name="asked">As the operator named the file; null for the usual places.</param>
    /// <param name="compiled">What the relay was started by.</param>
    /// <param name="note">Takes each line for people.</param>
    public LiveConfiguration(string? asked, Compiled compiled, RelayService relay, Action<string> note, TimeProvider clock)
    {
        this.asked = asked;
        this.relay = relay;
        this.note = note;
        this.clock = clock;
        Compiled = compiled;
        AppliedAt = clock.GetUtcNow();
        known = seen = compiled.FilesDigest;
        watch = Watch(compiled);
        secrets = new SecretsInVault(clock, compiled.Vaulted);
        timer = clock.CreateTimer(static live => ((LiveConfiguration)live!).Look(), this, Period, Period);
        refresh = clock.CreateTimer(
            static live => ((LiveConfiguration)live!).LookIntoVault(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        AskVaultLater();
    }

    public Compiled Compiled { get; private set; }

    public DateTimeOffset AppliedAt { get; private set; }

    /// <summary>What stands beside the relay goes on by a configuration that was taken; it never refuses it, and never throws.</summary>
    public Func<PosternConfiguration, Task>? WhenApplied { private get; set; }

    /// <summary>Why what stands in the files was not taken; empty where it was.</summary>
    public ImmutableArray<ConfigurationError> Problems => [.. problemsOfFile.Union(problemsOfNamed).Union(problemsOfVault)];

    /// <summary>
    /// Reads the file and all that it names again, and goes by it from then on; or says everything that stands against it.
    /// </summary>
    public Task<ReloadReport> ReloadAsync(CancellationToken ct) => TakeTurnAsync(
        async () =>
        {
            var file = Compiled.Configuration.File ?? ConfigurationFile.Find(asked);
            var read = string.Empty;
            if (file is not null && ConfigurationFile.ReadText(file, out read) is { } unreadable)
                return Refuse(unreadable.Errors, Changed);
            var report = await ApplyAsync(file, read, Changed);
            watch?.ReadNow();
            return report;
        },
        ct);

    /// <summary>What stands in the files by now, where that is not what is in force; null where it is.</summary>
    public async Task<string?> WhyNotTheFileAsync()
    {
        var now = Compiled;
        var file = now.Configuration.File ?? ConfigurationFile.Find(asked);
        var read = string.Empty;
        if (file is not null && ConfigurationFile.ReadText(file, out read) is { } unreadable)
            return unreadable.Errors[0].ToString();
        if (file == now.Configuration.File && read == now.Configuration.Text && Digest(now) == known)
            return null;
        var parsed = Parse(file, read);
        if (parsed is not ConfigurationOutcome.Valid(var configuration))
            return Mistakes(((ConfigurationOutcome.Invalid)parsed).Errors);
        var outcome = await Compilation.ReadAsync(configuration, CompileFor.Asking, clock, secrets);
        if (outcome is not CompileOutcome.Ready(var next))
            return Mistakes(((CompileOutcome.Broken)outcome).Errors);
        using (next)
        {
            var id = Compilation.IdOf(next, relay.Directory.DecoyKey.Span);
            return id == relay.Snapshot.Id ? null : $"{configuration.Source} has changed since, and would be {id}: postern reload";
        }

        static string Mistakes(ImmutableArray<ConfigurationError> errors) =>
            $"the file has changed since, and cannot be taken: "
                + $"{errors[0]}{(errors.Length > 1 ? $", and more: postern check" : string.Empty)}";
    }

    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await refresh.DisposeAsync();
        await turn.WaitAsync();
        var wasDisposed = isDisposed;
        isDisposed = true;
        if (watch is not null && !wasDisposed)
            await watch.DisposeAsync();
        if (!wasDisposed)
            secrets.Dispose();
        turn.Release();
    }

    private async Task<ReloadReport> TakeTurnAsync(Func<Task<ReloadReport>> work, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        try
        {
            return isDisposed ? ReloadReport.Refused(["the server is stopping"]) : await work();
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Two looks in a row must see the same change: a secret and the file beside it are rarely replaced in one moment.</summary>
    private void Look()
    {
        var digest = Digest(Compiled);
        var isSettled = digest == seen;
        seen = digest;
        if (!isSettled || digest == known || !turn.Wait(0))
            return;
        known = digest;
        _ = Task.Run(async () =>
        {
            try
            {
                // By the text that is in force: somebody may be in the middle of writing the next.
                await ApplyAsync(Compiled.Configuration.File, Compiled.Configuration.Text, ChangedNamed);
            }
            catch (Exception e)
            {
                // Nobody waits for this task: what goes wrong in it must be said here.
                Refuse([Compiled.Configuration.ErrorAt(string.Empty, e.Message)], ChangedNamed);
            }
            finally
            {
                turn.Release();
            }
        });
    }

    private void AskVaultLater()
    {
        if (Compiled is { Vaulted.IsEmpty: false, Configuration.Vault: { } vault })
            refresh.Change(vault.Refresh, Timeout.InfiniteTimeSpan);
    }

    private void LookIntoVault() => _ = Task.Run(async () =>
    {
        await turn.WaitAsync();
        try
        {
            if (!isDisposed)
                await LookIntoVaultAsync();
        }
        catch (Exception e)
        {
            // Nobody waits for this task either.
            problemsOfVault = [Compiled.Configuration.ErrorAt(VaultSection.Key, e.Message)];
        }
        finally
        {
            if (!isDisposed)
                AskVaultLater();
            turn.Release();
        }
    });

    /// <summary>What cannot be read stays what it was, and is told of once.</summary>
    private async Task LookIntoVaultAsync()
    {
        var reading = await secrets.ReadAsync(Compiled.Configuration, TimeSpan.Zero, note: null, CancellationToken.None);
        var problems = reading.Missing.Select(static m => (m.Reference, m.Why)).Concat(reading.Old).Select(one =>
            Compiled.Configuration.ErrorAt(
                Compiled.Configuration.InVault.First(key => key.Value == one.Reference).Key,
                $"{one.Reference} cannot be read now, and stays what it was: {one.Why}")).ToImmutableArray();
        foreach (var problem in problems.Except(problemsOfVault))
            Tell("secret_not_read", problem.ToString());
        if (problems.IsEmpty && !problemsOfVault.IsEmpty)
            Tell("secret_read", "the secrets in Vault can be read again");
        problemsOfVault = problems;
        if (reading.Values.Any(one => Compiled.Vaulted.GetValueOrDefault(one.Key) != one.Value))
            await ApplyAsync(Compiled.Configuration.File, Compiled.Configuration.Text, ChangedInVault);
    }

    private async Task<ReloadReport> ApplyAsync(string? file, string read, string why)
    {
        switch (Parse(file, read))
        {
            case ConfigurationOutcome.Invalid(var errors):
                return Refuse(errors, why);
            case ConfigurationOutcome.Valid(var configuration) when configuration.Server.Data != Compiled.Configuration.Server.Data:
                return Refuse(
                    [
                        configuration.ErrorAt(
                            "server.data",
                            $"a running server keeps its data directory, {Compiled.Configuration.Server.Data}: restart it for another"),
                    ],
                    why);
            case ConfigurationOutcome.Valid(var configuration):
                return await Compilation.ReadAsync(configuration, CompileFor.Serving, clock, secrets) switch
                {
                    CompileOutcome.Ready(var next) => await ApplyAsync(next, why),
                    CompileOutcome.Broken(var errors, _) => Refuse(errors, why),
                    _ => throw new InvalidOperationException("a new outcome"),
                };
            default:
                throw new InvalidOperationException("a new outcome");
        }
    }

    private static ConfigurationOutcome Parse(string? file, string read) =>
        ConfigurationFile.Parse(file, file is null ? Directory.GetCurrentDirectory() : ConfigurationFile.DirectoryOf(file), read);

    private async Task<ReloadReport> ApplyAsync(Compiled next, string why)
    {
        var before = relay.Snapshot.Id;
        var id = Compilation.IdOf(next, relay.Directory.DecoyKey.Span);
        if (id == before)
        {
            Mended(why);
            next.Dispose();
            return new ReloadReport(before, id) { Source = Compiled.Configuration.Source };
        }

        // With its session tickets. What is shown may be newer than what was read with the configuration that is in force.
        var staysShown = HasSameCertificates(next);
        if (staysShown)
            next = next with { Tls = Compiled.Tls };
        AppliedListeners listeners;
        AppliedAuthPlaces places;
        try
        {
            (listeners, places) = await relay.ApplyAsync(
                next.ToRelay(relay.Snapshot.Options.LogCopy) with { Id = id }, next, CancellationToken.None);
        }
        catch (ListenException e)
        {
            next.Dispose();
            var i = next.Configuration.Listeners.Select(static l => l.Name).ToList().IndexOf(e.Listener);
            return Refuse([next.Configuration.ErrorAt($"{next.Configuration.KeyOf(i)}.listen", e.Message)], why);
        }
        catch (ArgumentException e)
        {
            next.Dispose();
            return Refuse([next.Configuration.ErrorAt(string.Empty, e.Message)], why);
        }

        Mended(why);
        var old = Compiled;
        Compiled = next;
        AppliedAt = clock.GetUtcNow();
        known = seen = next.FilesDigest;
        problemsOfVault = [];
        AskVaultLater();
        if (watch is not null)
        {
            await watch.DisposeAsync();
            if (staysShown)
                Compiled = next = next with { Certificates = watch.Shown };
        }

        watch = Watch(next);
        if (WhenApplied is { } beside)
            await beside(next.Configuration);
        var report = ConfigurationChange.ReportOf(before, id, old, next, listeners, places);
        Tell("configuration_applied", $"{before} -> {id}, {why}: {string.Join("; ", report.Lines)}");
        foreach (var warning in next.Warnings)
            note($"warning: {warning.Key}: {warning.Message}");
        return report;
    }

    private ReloadReport Refuse(ImmutableArray<ConfigurationError> errors, string why)
    {
        if (why == Changed)
            problemsOfFile = errors;
        else
            problemsOfNamed = errors;
        foreach (var error in errors)
            Tell("configuration_refused", $"{why} was not taken: {error}");
        return ReloadReport.Refused([.. errors.Select(static e => e.ToString())]);
    }

    /// <summary>A changed secret says nothing of a file with mistakes that was refused before; that file as a whole says all.</summary>
    private void Mended(string why)
    {
        var hadProblems = !Problems.IsEmpty;
        problemsOfNamed = [];
        if (why == Changed)
            problemsOfFile = [];
        if (hadProblems && Problems.IsEmpty)
            Tell("configuration_mended", "what stood against it is gone");
    }

    private void Tell(string what, string detail)
    {
        relay.Audit.Append(new ServerEvent(clock.GetUtcNow(), what, detail));
        note($"{what.Replace('_', ' ')}: {detail}");
    }

    private CertificateWatch? Watch(Compiled compiled) =>
        compiled.Tls is { } tls
            ? new CertificateWatch(compiled.Configuration, tls, compiled.Certificates, compiled.CertificateDigest, relay.Audit, note, clock)
            : null;

    private bool HasSameCertificates(Compiled next) =>
        next.Tls is not null && Compiled.Tls is not null && next.Configuration.Tls.Protocols == Compiled.Configuration.Tls.Protocols
        && next.Certificates.Select(static c => c.Certificate.Thumbprint)
            .SequenceEqual(watch!.Shown.Select(static c => c.Certificate.Thumbprint), StringComparer.Ordinal);

    private static string Digest(Compiled compiled) => FileDigest.Of(compiled.Files);
}
