using System.Collections.Frozen;
using System.Collections.Immutable;
using Postern.Interop.Tests.Matrix.Clients;

namespace Postern.Interop.Tests.Matrix;

/// <summary>Which client logs in by which mechanism as a user kept how. Tests and docs/sasl.md are made of it.</summary>
internal static class MatrixTable
{
    private static readonly LoginClient Gsasl = GsaslClient.Instance;
    private static readonly LoginClient Curl = CurlClient.Instance;
    private static readonly LoginClient Msmtp = MsmtpClient.Instance;
    private static readonly LoginClient Swaks = SwaksClient.Instance;
    private static readonly LoginClient Smtplib = SmtplibClient.Instance;
    private static readonly LoginClient Nodemailer = NodemailerClient.Instance;
    private static readonly LoginClient Library = LibraryClient.Instance;

    public static ImmutableArray<LoginClient> Clients { get; } = [Gsasl, Curl, Msmtp, Swaks, Smtplib, Nodemailer, Library];

    public static ImmutableArray<MatrixRow> All { get; } =
    [
        new("SCRAM-SHA-512-PLUS", Kept.FileSha512, Library),
        new("SCRAM-SHA-256-PLUS", Kept.Directory, Gsasl, Library),
        new("SCRAM-SHA-1-PLUS", Kept.File, Gsasl, Library),
        new("SCRAM-SHA-512", Kept.FileSha512, Library),
        new("SCRAM-SHA-512", Kept.DirectoryShared, Library),
        new("SCRAM-SHA-256", Kept.Directory, Gsasl, Msmtp, Library),
        new("SCRAM-SHA-256", Kept.File, Gsasl, Msmtp, Library),
        new("SCRAM-SHA-1", Kept.FileSha1, Gsasl, Msmtp, Library),
        new("OAUTHBEARER", Kept.TokenEs256, Curl, Msmtp, Library),
        new("OAUTHBEARER", Kept.TokenAsked, Curl, Msmtp, Library),
        new("XOAUTH2", Kept.TokenRs256, Curl, Msmtp, Smtplib, Nodemailer, Library),
        new("XOAUTH2", Kept.TokenAsked, Library),
        new("DIGEST-MD5", Kept.HtDigest, Gsasl, Curl, Msmtp, Swaks, Library),
        new("DIGEST-MD5", Kept.Digest, Library),
        new("DIGEST-MD5", Kept.DirectoryDigest, Gsasl, Library),
        new("DIGEST-MD5", Kept.File, Curl, Msmtp, Library),
        new("CRAM-MD5", Kept.File, Gsasl, Curl, Msmtp, Swaks, Smtplib, Nodemailer, Library),
        new("CRAM-MD5", Kept.DirectoryShared, Gsasl, Library),
        new("PLAIN", Kept.File, Gsasl, Curl, Msmtp, Swaks, Smtplib, Nodemailer, Library),
        new("PLAIN", Kept.Directory, Library),
        new("PLAIN", Kept.HtDigest, Library),
        new("LOGIN", Kept.FileSha1, Gsasl, Curl, Msmtp, Swaks, Smtplib, Nodemailer, Library),
        new("LOGIN", Kept.DirectoryDigest, Library),
        new("ANONYMOUS", Kept.Nowhere, Gsasl, Library),
    ];

    /// <summary>
    /// Mechanisms that need more than a user in a store, tried by tests of their own. <c>Cells</c> are the letters of each client, as the page writes them.
    /// </summary>
    public static ImmutableArray<(string Mechanism, string Where, FrozenDictionary<LoginClient, string> Cells)> Elsewhere { get; } =
    [
        ("GSSAPI", "a Kerberos realm (`KerberosTests`)", Cells((Gsasl, "RWU"), (Curl, "R"), (Library, "RWM"))),
        ("EXTERNAL", "a client certificate (`ClientCertificateTests`)", Cells((Gsasl, "R"), (Curl, "RW"), (Msmtp, "R"))),
    ];

    public static ImmutableArray<string> Mechanisms { get; } = [.. All.Select(static row => row.Mechanism).Distinct(StringComparer.Ordinal)];

    /// <summary>Whether there is such a case: a login without a secret cannot be wrong.</summary>
    public static bool Has(string mechanism, Case @case) => mechanism != "ANONYMOUS" || @case is Case.Right or Case.Cancelled or Case.Malformed;

    public static IEnumerable<MatrixRow> Of(string mechanism) => All.Where(row => row.Mechanism == mechanism);

    private static FrozenDictionary<LoginClient, string> Cells(params (LoginClient Client, string Letters)[] cells) =>
        cells.ToFrozenDictionary(static cell => cell.Client, static cell => cell.Letters);
}
