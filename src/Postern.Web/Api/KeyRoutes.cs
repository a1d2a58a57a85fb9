using System.Collections.Immutable;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>The keys by which programs call.</summary>
internal static class KeyRoutes
{
    private static readonly Parameter<string> Key = Parameter.Text("key", "The id of a key, or its label");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/keys", Scopes.Owner, "All keys, by label, with the last use of each; never the keys themselves.", ListAsync)
        {
            Gives = typeof(ImmutableArray<KeyDetails>),
        },
        new("POST", "/keys", Scopes.Owner, "Makes a key, which is shown this once.", AddAsync)
        {
            AsksProof = true,
            Takes = typeof(NewKey),
            Gives = typeof(KeyIssuedDocument),
        },
        new("DELETE", "/keys/{key}", Scopes.Owner, "Makes a key useless at once.", RemoveAsync)
        {
            AsksProof = true,
            Parameters = [Key],
            Gives = typeof(OutcomeDocument),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) =>
        new(call.Server.Access is { } access ? Answer.Of(access.Queries.Keys()) : DirectoryDoor.None);

    private static async ValueTask<Answer> AddAsync(Call call)
    {
        if (call.Server.Access is not { } access)
            return DirectoryDoor.None;
        var asked = call.Body<NewKey>();
        if (!ScopeWords.TryParse(asked.Scopes.IsDefault ? [] : asked.Scopes, out var scopes, out var wrong))
            return Answer.Wrong("/scopes", $"there is no scope '{wrong}'");
        // Beyond that no time span has room for the sum.
        if (asked.ExpiresAfter is < 0 or > int.MaxValue)
            return Answer.Wrong("/expiresAfter", "a key expires between a moment and ten years from now");
        var outcome = access.Commands(call.By).Keys.Add(new AddKey(asked.Label, scopes)
        {
            Tenant = asked.Tenant,
            Account = asked.Account,
            Networks = asked.Networks is { IsDefault: false } networks ? networks : [],
            ExpiresAfter = asked.ExpiresAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        });
        await call.Server.Audit.FlushAsync(call.Aborted);
        return outcome is KeyIssued issued
            ? new Answer.Document(KeyIssuedDocument.Of(issued), ApiJson.Of<KeyIssuedDocument>(), Status: 201)
            : Answer.Of(outcome);
    }

    private static async ValueTask<Answer> RemoveAsync(Call call)
    {
        if (call.Server.Access is not { } access)
            return DirectoryDoor.None;
        var outcome = access.Commands(call.By).Keys.Remove(call.Get(Key)!);
        await call.Server.Audit.FlushAsync(call.Aborted);
        return Answer.Of(outcome);
    }
}
