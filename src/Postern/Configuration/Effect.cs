namespace Postern.Configuration;

/// <summary>
/// From when on a changed key counts in a running server. The most precise line says it; a key without one is a mistake that a test finds.
/// </summary>
internal static class Effect
{
    public const string Live = "live";
    public const string NewConnections = "new connections";

    /// <summary>The beginning of what can only be said with a reason.</summary>
    public const string Restart = "restart, because";

    private static readonly (string Prefix, string When)[] Lines =
    [
        ("server.data", $"{Restart} accounts, messages and their locks are in it"),
        ("server.hostname", $"{NewConnections}, and deliveries"),
        ("server.postmaster", Live),
        ("server.stop_grace", Live),
        ("tls.minimum", NewConnections),
        ("tls.certificate", NewConnections),
        ("tls.key", NewConnections),
        ("tls.additional", NewConnections),
        ("listeners", NewConnections),
        ("accounts", NewConnections),
        ("oauth", NewConnections),
        ("external", NewConnections),
        ("kerberos", NewConnections),
        ("limits", NewConnections),
        ("limits.connections", Live),
        ("limits.held_messages", Live),
        ("limits.held_size", Live),
        ("limits.memory", Live),
        ("login_protection", Live),
        ("login_protection.failures_per_session", NewConnections),
        ("networks", NewConnections),
        ("network_files", NewConnections),
        ("domains", NewConnections),
        ("rules", NewConnections),
        ("devices", NewConnections),
        ("delivery", Live),
        ("pools", Live),
        ("tenants", Live),
        ("delivery.etrn", NewConnections),
        ("sendmail", Live),
        ("dkim", Live),
        ("keep", NewConnections),
        ("keep.most", Live),
        ("logs", Live),
        ("web", Live),
        ("metrics", Live),
        ("vault", Live),
    ];

    /// <summary>What the longest matching line says; null where there is none.</summary>
    public static string? Find(string path) =>
        Lines.Where(line => path.StartsWith(line.Prefix, StringComparison.Ordinal)).MaxBy(static line => line.Prefix.Length).When;

    public static string Of(string path) =>
        Find(path) ?? throw new InvalidOperationException($"nothing says when {path} counts: add it to {nameof(Effect)}");
}
