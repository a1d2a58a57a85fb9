using System.Text;
using Postern.Interop.Tests.Matrix.Clients;
using Postern.Relay.Accounts.Hashes;
using Postern.Sasl;
using Postern.Sasl.Mechanisms;

namespace Postern.Interop.Tests.Matrix;

/// <summary>The tables of <c>docs/sasl.md</c>; the words around them are written by hand.</summary>
internal static class MatrixPage
{
    /// <summary>The page with each table, between its two marks, written anew.</summary>
    public static string Renew(string page)
    {
        foreach (var (name, table) in ((string, string)[])[("mechanisms", Mechanisms()), ("forms", Forms()), ("matrix", Matrix())])
        {
            var (begin, end) = ($"<!-- {name} -->\n", $"<!-- /{name} -->");
            var from = page.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
            page = $"{page[..from]}{table}{page[page.IndexOf(end, from, StringComparison.Ordinal)..]}";
        }

        return page;
    }

    private static string Mechanisms()
    {
        var table = new StringBuilder("| mechanism | offered | shows the secret to the server | needs |\n|---|---|---|---|\n");
        foreach (var mechanism in SaslMechanisms.All)
            table.Append("| ").Append(mechanism.Name).Append(" | ").Append(Offered(mechanism)).Append(" | ").Append(mechanism.ExposesSecret ? "yes" : "no").Append(" | ").Append(NeedsOf(mechanism.Name)).Append(" |\n");
        return table.ToString();
    }

    private static string Offered(ISaslMechanism mechanism) =>
        mechanism.IsOptIn ? "where a listener names it" : mechanism is ScramMechanism { IsPlus: true } ? "where every store keeps that form, on connections that can be bound" : mechanism.Name.StartsWith("SCRAM-", StringComparison.Ordinal) ? "where every store keeps that form" : "yes, where its need is met";

    private static string NeedsOf(string mechanism) => mechanism switch
    {
        "EXTERNAL" => "a client certificate",
        "GSSAPI" => "a Kerberos keytab",
        "OAUTHBEARER" or "XOAUTH2" => "an issuer in `oauth`",
        "DIGEST-MD5" => "a digest of the realm, or the password itself",
        "CRAM-MD5" => "the password itself",
        "PLAIN" or "LOGIN" => "any form",
        "ANONYMOUS" => "nothing",
        _ => $"{(mechanism.EndsWith("-PLUS", StringComparison.Ordinal) ? "TLS; " : string.Empty)}a `{mechanism.Replace("-PLUS", string.Empty, StringComparison.Ordinal).ToLowerInvariant()}` secret, or the password itself",
    };

    private static string Forms()
    {
        var table = new StringBuilder("| form | answers | `credential add --form` | `passwd --scheme`, `hash --scheme` |\n|---|---|---|---|\n");
        foreach (var scheme in HashSchemes.All)
            table.Append("| `").Append(scheme.Name).Append("` | ").Append(scheme.Meaning).Append(" | ").Append(HashSchemes.ForAccounts.Contains(scheme) ? scheme == HashSchemes.Usual ? "yes, unless said" : "yes" : "no").Append(" | yes |\n");
        return table.ToString();
    }

    private static string Matrix()
    {
        var table = new StringBuilder("| mechanism | user kept in |");
        foreach (var client in MatrixTable.Clients)
            table.Append(' ').Append(client.Name).Append(" |");
        table.Append("\n|---|---|").Append(string.Concat(Enumerable.Repeat("---|", MatrixTable.Clients.Length))).Append('\n');
        foreach (var row in MatrixTable.All)
        {
            table.Append("| ").Append(row.Mechanism).Append(" | ").Append(row.Kept.Name).Append(" |");
            foreach (var client in MatrixTable.Clients)
                table.Append(' ').Append(row.Clients.Contains(client) ? string.Concat(Enum.GetValues<Case>().Where(c => IsTried(row.Mechanism, client, c)).Select(LetterOf)) : "-").Append(" |");
            table.Append('\n');
        }

        foreach (var (mechanism, where, cells) in MatrixTable.Elsewhere)
            table.Append("| ").Append(mechanism).Append(" | ").Append(where).Append(" |").Append(string.Concat(MatrixTable.Clients.Select(client => $" {cells.GetValueOrDefault(client, "-")} |"))).Append('\n');
        return table.ToString();
    }

    private static bool IsTried(string mechanism, LoginClient client, Case @case) => MatrixTable.Has(mechanism, @case) && (@case switch
    {
        Case.Right => true,
        Case.Wrong or Case.Unknown => client.RefusalsBy(mechanism) > 0,
        Case.SecondTry => client == LibraryClient.Instance || client == SmtplibClient.Instance,
        _ => client == LibraryClient.Instance,
    });

    private static char LetterOf(Case @case) => @case == Case.SecondTry ? '2' : @case.ToString()[0];
}
