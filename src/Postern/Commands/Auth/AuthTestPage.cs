using System.Globalization;
using Postern.Commands.Output;
using Postern.Configuration.Reading;

namespace Postern.Commands.Auth;

/// <summary>What <c>auth test</c> shows to people, in the order in which a login goes.</summary>
internal static class AuthTestPage
{
    /// <param name="withSteps">Each message of the mechanisms too.</param>
    public static void Print(Terminal terminal, AuthTestDocument document, bool withSteps)
    {
        terminal.Line($"name       {document.Name ?? "no name that an account can have"}");
        terminal.Line($"listeners  {string.Join(", ", document.Listeners)}");
        terminal.Line();
        var stores = new TablePage("store", "time", "says");
        foreach (var store in document.Stores)
            stores.Row(store.Store, Time(store.Milliseconds), store.Says);
        stores.WriteTo(terminal);
        terminal.Line();
        PrintUser(terminal, document);
        foreach (var attempt in withSteps ? document.Attempts : [])
        {
            var steps = new TablePage("step", "who", "what", "time");
            foreach (var (step, i) in attempt.Steps.Select(static (step, i) => (step, i + 1)))
                steps.Row(string.Create(CultureInfo.InvariantCulture, $"{i}"), step.Who, step.What, Time(step.Milliseconds));
            steps.WriteTo(terminal);
            terminal.Line();
        }

        var results = new TablePage("time", "mechanism", "a client is told", "because", "offered by");
        foreach (var same in document.Attempts.GroupBy(static a => (a.Reply, a.Reason, a.Offered)))
            results.Row(
                string.Join(", ", same.Select(static a => Time(a.Milliseconds))),
                string.Join(", ", same.Select(static a => a.Mechanism)),
                same.Key.Reply,
                same.Key.Reason,
                same.Key.Offered);
        results.WriteTo(terminal, ifEmpty: "nothing was tried");
        foreach (var sentence in document.Fix)
            terminal.Prose($"to do: {sentence}", "to do: ".Length);
    }

    private static void PrintUser(Terminal terminal, AuthTestDocument document)
    {
        var page = new TablePage("what", "value");
        foreach (var credential in document.Credentials)
            page.Row($"password {credential.Name}", Describe(credential));
        if (document.Account is { } account)
            page.Row("account", $"{account.Name}{(account.Enabled ? null : ", DISABLED")}{Of(account.Store)}")
                .Row("may send as", Words([.. account.Addresses, .. account.Domains.Select(static d => $"*@{d}")]))
                .Row("may act as", Words(account.ActsAs))
                .Row("tenant", account.Tenant ?? "-");
        else
            page.Row("account", document.AccountTrouble is { } trouble ? $"cannot be said: {trouble}" : "none");
        // Whom it does not ask stands above.
        foreach (var store in (document.InServer ?? []).Where(static s => s.Milliseconds is not null))
            page.Row($"server's {store.Store}", $"{store.Says}{(store.FromMemory ? ", from memory" : null)}");
        if (document.Protection is { } protection)
            page.Row("slowed", Describe(protection));
        page.WriteTo(terminal);
        terminal.Line();
    }

    private static string Describe(CredentialDocument credential) => string.Concat(
        credential.Form,
        ": ",
        credential.Serves.IsEmpty ? "no mechanism" : string.Join(' ', credential.Serves),
        credential.ExpiresAt is { } end ? $"; until {TimeText.Format(end)}" : null,
        credential.Weakness is { } weakness ? $"; {weakness}" : null);

    private static string Describe(ProtectionDocument protection) => protection switch
    {
        { State: { } why } => why,
        { Blocks.IsEmpty: true } => "no",
        _ => string.Join("; ", protection.Blocks.Select(static b => $"{b.Who} {b.State} until {TimeText.Format(b.CalmAt)}")),
    };

    private static string Time(double? milliseconds) =>
        milliseconds is { } some ? string.Create(CultureInfo.InvariantCulture, $"{some:0.0} ms") : "-";

    private static string? Of(string? store) => store is null ? null : $", of {store}";

    private static string Words(IReadOnlyCollection<string> words) => words.Count == 0 ? "nobody else" : string.Join(", ", words);
}
