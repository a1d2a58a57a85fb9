using System.Globalization;
using System.Text;
using Postern.Smtp.Authentication;
using Postern.Smtp.Dialogue;
using Postern.Smtp.Events;
using Postern.Smtp.Extensions;
using Postern.Smtp.Grammar;
using Postern.Smtp.Message;
using Postern.Smtp.Policy;
using Postern.Smtp.Session;
using Postern.Smtp.Transport;

namespace Postern.Smtp;

/// <summary>
/// Reads options before a server uses them: every mistake in plain words, all at once; then a copy that nobody else can change.
/// </summary>
internal static class OptionsReview
{
    /// <summary>Timers take no more than 49 days, and a client that is waited for longer is no client.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(30);

    /// <exception cref="ArgumentException">The mistakes, one a line.</exception>
    /// <param name="clock">Of the server that runs; null where none does yet.</param>
    public static SmtpServerOptions Freeze(SmtpServerOptions options, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var mistakes = Nulls(options).ToList();
        if (mistakes.Count == 0)
            mistakes =
            [
                .. Mistakes(options),
                .. MistakesBetween(options.Listeners),
                .. options.Listeners.SelectMany(listener => Mistakes(options, listener)),
            ];
        if (clock is not null && options.Clock is { } other && other != clock)
            mistakes.Add("Clock is another than the server was made with, and what is open counts its time by that");
        if (mistakes.Count > 0)
            throw new ArgumentException(
                $"an SMTP server cannot {(clock is null ? "start" : "go on")} with these "
                    + $"options:\n{string.Join('\n', mistakes.Select(static m => $"- {m}"))}",
                nameof(options));
        return options with
        {
            Listeners = [.. options.Listeners],
            Mechanisms = [.. options.Mechanisms],
            Events = options.Events is NoEvents or GuardedEvents ? options.Events : new GuardedEvents(options.Events),
        };
    }

    /// <exception cref="ArgumentException">The mistakes of one listener that is not among the server's own.</exception>
    public static void Check(SmtpServerOptions server, SmtpListenerOptions listener)
    {
        var mistakes = Mistakes(server, listener).ToList();
        if (mistakes.Count > 0)
            throw new ArgumentException(string.Join('\n', mistakes), nameof(listener));
    }

    /// <summary>Without these nothing else can be looked at.</summary>
    private static IEnumerable<string> Nulls(SmtpServerOptions options)
    {
        (string Name, object? Value)[] needed =
        [
            (nameof(options.Listeners), options.Listeners),
            (nameof(options.Policy), options.Policy),
            (nameof(options.Store), options.Store),
            (nameof(options.Events), options.Events),
            (nameof(options.Sasl), options.Sasl),
            (nameof(options.Mechanisms), options.Mechanisms),
            (nameof(options.Limits), options.Limits),
            (nameof(options.Gauges), options.Gauges),
            (nameof(options.Load), options.Load),
            (nameof(options.Clock), options.Clock),
        ];
        if (options.Mechanisms is { } mechanisms && mechanisms.Contains(null!))
            needed = [.. needed, ("One of " + nameof(options.Mechanisms), null)];
        return needed.Where(static n => n.Value is null).Select(static n => $"{n.Name} is null");
    }

    /// <summary>What no listener can know alone.</summary>
    private static IEnumerable<string> MistakesBetween(IReadOnlyList<SmtpListenerOptions> listeners)
    {
        var places = listeners.SelectMany(
            static listener => listener.Endpoints, static (listener, endpoint) => (listener.Name, Endpoint: endpoint));
        foreach (var same in places.Where(static p => p.Endpoint.Port != 0).GroupBy(static p => p.Endpoint)
            .Where(static g => g.Count() > 1))
            yield return $"{string.Join(" and ", same.Select(static p => $"listener '{p.Name}'"))} cannot both listen on {same.Key}";
    }

    private static IEnumerable<string> Mistakes(SmtpServerOptions options)
    {
        if (!Ascii.IsValid(options.Hostname) || !Domain.TryParse(options.Hostname, out _))
            yield return $"Hostname '{options.Hostname}' is neither a domain such as mail.example.org nor an address "
                + $"literal such as [192.0.2.1]";
        if (options.Store is NoStore)
            yield return "Store is not set: say what becomes of a message, as in MessageStore.From((message, "
                + "ct) => File.WriteAllBytesAsync($\"{message.Id}.eml\", message.Content, ct))";
        if (options.MaxConnections < 1)
            yield return Below(nameof(options.MaxConnections), options.MaxConnections);
        if (options.MaxConnectionsPerAddress < 1)
            yield return Below(nameof(options.MaxConnectionsPerAddress), options.MaxConnectionsPerAddress);
        if (options.MaxHandshakes < 1)
            yield return Below(nameof(options.MaxHandshakes), options.MaxHandshakes);
        if (!IsSeconds(options.MaxHold, least: 1))
            yield return $"MaxHold is {options.MaxHold}: it must be 1 to 999,999,999 seconds";
        if (!IsSeconds(options.MinimumDeliverBy, least: 0))
            yield return $"MinimumDeliverBy is {options.MinimumDeliverBy}: it must be 0 to 999,999,999 seconds";
        if (options.Asks(CredentialKinds.Passwords) && options.Sasl.Passwords is not null)
            yield return "Authenticator and Sasl.Passwords would both check passwords: leave one of them out";
        if (options.Asks(CredentialKinds.BearerTokens) && options.Sasl.Tokens is not null)
            yield return "Authenticator and Sasl.Tokens would both check bearer tokens: leave one of them out";
        foreach (var mistake in MechanismReview.Mistakes(options.Mechanisms))
            yield return mistake;
        foreach (var mistake in Mistakes(options.Limits, nameof(options.Limits)))
            yield return mistake;
    }

    private static IEnumerable<string> Mistakes(SmtpServerOptions options, SmtpListenerOptions listener)
    {
        if (listener.Tls != TlsMode.None && options.Tls is null)
            yield return $"listener '{listener.Name}' uses TLS, and no certificate is given: "
                + $"set Tls (in development TlsOptions.SelfSigned(\"localhost\")), or listen with TlsMode.None";
        foreach (var keyword in listener.WithoutExtensions.Where(static keyword => !ExtensionTable.IsOptional(keyword)))
            yield return $"listener '{listener.Name}' does without '{keyword}', "
                + $"which is none of {string.Join(' ', ExtensionTable.Optional)}";
        foreach (var mistake in MechanismReview.Mistakes(options.Mechanisms, listener))
            yield return mistake;

        if (options.Policy == EnvelopePolicy.LoggedInOnly && WhyNobodyLogsIn(options, listener) is { } reason)
            yield return $"nobody can send on listener '{listener.Name}', as the policy asks for a login and {reason}";
        foreach (var mistake in listener.Limits is { } limits
            ? Mistakes(limits, $"listener '{listener.Name}': {nameof(listener.Limits)}")
            : [])
            yield return mistake;
    }

    private static string? WhyNobodyLogsIn(SmtpServerOptions options, SmtpListenerOptions listener) =>
        listener.Auth == AuthMode.Off ? "AUTH is off there"
        : listener.Auth == AuthMode.TlsOnly && listener.Tls == TlsMode.None ? "AUTH is offered under TLS only, which is off there"
        : options.Mechanisms.All(m => options.SaslFor(listener, session: null, mechanism: string.Empty).Begin(m) is null)
            && !Capabilities.TakesCertificates(options, listener) ? "nothing checks passwords: call Authenticate, or set Sasl"
        : listener.Mechanisms is { Count: 0 } ? "its Mechanisms are empty: leave them null for all that can be answered"
        : null;

    private static IEnumerable<string> Mistakes(SessionLimits limits, string place)
    {
        (string Name, long Value)[] numbers =
        [
            (nameof(limits.CommandOctets), limits.CommandOctets),
            (nameof(limits.SaslOctets), limits.SaslOctets),
            (nameof(limits.MessageOctets), limits.MessageOctets),
            (nameof(limits.Recipients), limits.Recipients),
            (nameof(limits.Idle), limits.Idle.Ticks),
            (nameof(limits.DataBlock), limits.DataBlock.Ticks),
            (nameof(limits.DataOctetsPerSecond), limits.DataOctetsPerSecond),
            (nameof(limits.Handshake), limits.Handshake.Ticks),
            (nameof(limits.ProxyHeader), limits.ProxyHeader.Ticks),
            (nameof(limits.FailedLogins), limits.FailedLogins),
            (nameof(limits.BadCommands), limits.BadCommands),
            (nameof(limits.Refusals), limits.Refusals),
            (nameof(limits.CommandsPerMessage), limits.CommandsPerMessage),
            (nameof(limits.WithoutMessage), limits.WithoutMessage.Ticks),
        ];
        foreach (var (name, value) in numbers)
        {
            if (value < 1)
                yield return Below($"{place}.{name}", value);
        }

        (string Name, TimeSpan Value)[] waits =
        [
            (nameof(limits.Idle), limits.Idle),
            (nameof(limits.DataBlock), limits.DataBlock),
            (nameof(limits.Handshake), limits.Handshake),
            (nameof(limits.ProxyHeader), limits.ProxyHeader),
            (nameof(limits.WithoutMessage), limits.WithoutMessage),
        ];
        foreach (var (name, _) in waits.Where(static w => w.Value > LongestWait))
            yield return $"{place}.{name} is longer than {LongestWait.TotalDays:0} days: nothing here is unlimited";

        if (Math.Max(limits.SaslOctets, limits.CommandOctets) > SmtpTransport.WindowOctets)
            yield return $"{place}: a line of SaslOctets or CommandOctets is longer than the "
                + $"{SmtpTransport.WindowOctets} octets that can be held";
    }

    /// <summary>RFC 2852 and RFC 4865 write times in seconds, of at most nine digits.</summary>
    private static bool IsSeconds(TimeSpan time, int least) => time.TotalSeconds >= least && time.TotalSeconds <= 999_999_999;

    private static string Below(string name, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: it must be more than 0, nothing here is unlimited");
}
