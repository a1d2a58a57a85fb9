using System.Globalization;
using System.Text;
using Postern.Relay.Tests.Accounts.Stores;
using Postern.Testing;

namespace Postern.Relay.Tests.Accounts.Contract;

/// <summary>The tables of docs/stores.md are what the rigs say, and the contract tries each cell.</summary>
public sealed class StorePageTests
{
    private const string Page = "docs/stores.md";
    private const string Begin = "<!-- stores -->\n";
    private const string End = "<!-- end -->\n";

    private static readonly (StoreFailure Failure, string Name)[] Rows =
    [
        (StoreFailure.Stopped, "it is stopped, or its file is gone"),
        (StoreFailure.Hangs, "it takes connections and answers nothing"),
        (StoreFailure.HalfOpen, "the network loses everything"),
        (StoreFailure.Locked, "another program has locked it"),
        (StoreFailure.Damaged, "it is damaged"),
        (StoreFailure.WrongServicePassword, "this server's own password is wrong there"),
        (StoreFailure.ExpiredCertificate, "its certificate has expired"),
        (StoreFailure.CertificateOfAnotherName, "its certificate is for another name"),
        (StoreFailure.MissingColumn, "what it answers with lacks the column `password`, or an attribute"),
        (StoreFailure.MissingTable, "the table, or the base, is not there"),
        (StoreFailure.TooLarge, "the answer is of 10 MB"),
        (StoreFailure.SeveralAccounts, "the answer is of several accounts, or of another one"),
        (StoreFailure.Refused, "it refuses what this server asks"),
        (StoreFailure.NotThere, "there is nothing at the path"),
        (StoreFailure.Fails, "it has an error of its own"),
        (StoreFailure.SendsElsewhere, "it sends to another server"),
        (StoreFailure.Sealed, "it is sealed"),
        (StoreFailure.OlderKind, "the engine is KV of version 1"),
        (StoreFailure.AnotherUser, "the answer is of another user"),
    ];

    private static readonly (StoreAbilities Ability, string Name)[] Abilities =
    [
        (StoreAbilities.Readable, "passwords as they are: every mechanism"),
        (StoreAbilities.Forms, "stored forms"),
        (StoreAbilities.Several, "several secrets of one user"),
        (StoreAbilities.Expiry, "secrets that expire"),
        (StoreAbilities.Disabled, "disabled users"),
        (StoreAbilities.Rights, "addresses, domains, tenant"),
        (StoreAbilities.AccountNames, "an account's name that is not the login"),
        (StoreAbilities.Reload, "a change counts while the server runs"),
    ];

    /// <summary>POSTERN_WRITE_DOCS=1 writes the tables anew.</summary>
    [Fact]
    public async Task The_page_has_what_is_tried()
    {
        IStoreRig[] rigs = [new DirectoryRig(), new UsersRig(), new FileRig(), new DigestRig(), new SqliteRig(), new PostgresRig(), new MySqlRig(), new HttpRig(), new CheckingHttpRig(), new OnlyCheckingHttpRig(), new VaultRig(), new DovecotRig(), new PamRig(), new SmtpRig(), new LdapRig(), new LdapSecretRig()];
        var text = new StringBuilder();
        Table(text, "can hold", rigs, Abilities.Select(row => (row.Name, (Func<IStoreRig, string>)(rig => rig.Abilities.HasFlag(row.Ability) ? "yes" : ""))));
        Table(text, "what happens", rigs, Rows.Select(row => (row.Name, (Func<IStoreRig, string>)(rig => rig.Faults.TryGetValue(row.Failure, out var fault) ? fault.Said is { } said ? $"454: {said}" : "goes on" : ""))));
        foreach (var rig in rigs)
            await rig.DisposeAsync();
        Assert.Equal(Enum.GetValues<StoreFailure>(), Rows.Select(static row => row.Failure));

        var path = SourceTree.PathOf(Page);
        var page = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        var (begin, end) = (page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, page.IndexOf(End, StringComparison.Ordinal));
        if (Environment.GetEnvironmentVariable("POSTERN_WRITE_DOCS") == "1")
            await File.WriteAllTextAsync(path, page[..begin] + text + page[end..], TestContext.Current.CancellationToken);
        else
            Assert.Equal(page[begin..end].Split('\n'), text.ToString().Split('\n'));
    }

    private static void Table(StringBuilder text, string title, IStoreRig[] rigs, IEnumerable<(string Name, Func<IStoreRig, string> Cell)> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n| {title} | {string.Join(" | ", rigs.Select(static rig => $"`{rig.Word}`"))} |\n|---|{string.Concat(rigs.Select(static _ => "---|"))}\n");
        foreach (var (name, cell) in rows)
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {string.Join(" | ", rigs.Select(cell))} |\n");
    }
}
