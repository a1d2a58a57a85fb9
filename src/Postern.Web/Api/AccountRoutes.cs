using System.Collections.Immutable;
using Postern.Relay.Admin;
using Postern.Web.Access;
using Postern.Web.Calls;
using Postern.Web.Documents;

namespace Postern.Web.Api;

/// <summary>Accounts of the directory, what they may, and their credentials.</summary>
internal static class AccountRoutes
{
    private static readonly Parameter<string> Name = Parameter.Text("account", "The login name, in any spelling");
    private static readonly Parameter<string> Credential = Parameter.Text("credential", "The number of a credential, or its label");

    public static ImmutableArray<Route> All { get; } =
    [
        new("GET", "/accounts", Scopes.AccountsRead, "All accounts of the directory, by name.", ListAsync)
        {
            IsForTenants = true,
            Gives = typeof(ImmutableArray<AccountDetails>),
        },
        new("GET", "/accounts/{account}", Scopes.AccountsRead, "One account.", ShowAsync)
        {
            IsForTenants = true,
            Parameters = [Name],
            Gives = typeof(AccountDetails),
        },
        new("PUT", "/accounts/{account}", Scopes.AccountsWrite, "Adds an account; one that is there stays as it is.", AddAsync)
        {
            Parameters = [Name],
            Takes = typeof(NewAccount),
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/accounts/{account}", Scopes.AccountsWrite, "Removes an account with its grants and credentials.", RemoveAsync)
        {
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/accounts/{account}/enable", Scopes.AccountsWrite, "Lets an account log in and send again.", EnableAsync)
        {
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/accounts/{account}/disable", Scopes.AccountsWrite, "It neither logs in nor sends any more.", DisableAsync)
        {
            Parameters = [Name],
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/accounts/{account}/grants", Scopes.AccountsWrite, "Lets an account send as more.", GrantAsync)
        {
            Parameters = [Name],
            Takes = typeof(GrantChange),
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/accounts/{account}/grants", Scopes.AccountsWrite, "Lets an account send as less.", RevokeGrantAsync)
        {
            Parameters = [Name],
            Takes = typeof(GrantChange),
            Gives = typeof(OutcomeDocument),
        },
        new("POST", "/accounts/{account}/credentials", Scopes.AccountsWrite, "Makes a secret, which is shown this once.", IssueAsync)
        {
            IsForTenants = true,
            Parameters = [Name],
            Takes = typeof(NewSecret),
            Gives = typeof(OutcomeDocument),
        },
        new("DELETE", "/accounts/{account}/credentials/{credential}", Scopes.AccountsWrite, "Makes a secret useless.", RevokeAsync)
        {
            IsForTenants = true,
            Parameters = [Name, Credential],
            Gives = typeof(OutcomeDocument),
        },
    ];

    private static ValueTask<Answer> ListAsync(Call call) => new(DirectoryDoor.Of(call) is { } directory
        ? Answer.Of<ImmutableArray<AccountDetails>>([.. directory.Queries.Accounts().Where(one => call.Sees(one.Tenant))])
        : DirectoryDoor.None);

    private static ValueTask<Answer> ShowAsync(Call call) => new(Find(call, static (account, _) => Answer.Of(account)));

    private static ValueTask<Answer> AddAsync(Call call)
    {
        var asked = call.Body<NewAccount>();
        return new(DirectoryDoor.Of(call) is { } directory
            ? Answer.Of(directory.Commands.Accounts.Add(new AddAccount(call.Get(Name)!, Or(asked.Addresses), Or(asked.Domains))
            {
                Tenant = asked.Tenant,
            }))
            : DirectoryDoor.None);
    }

    private static ValueTask<Answer> RemoveAsync(Call call) =>
        TakeAwayAsync(call, static (commands, name) => commands.Accounts.Remove(name));

    private static ValueTask<Answer> EnableAsync(Call call) =>
        new(Find(call, static (account, commands) => Answer.Of(commands.Accounts.Enable(account.Name))));

    private static ValueTask<Answer> DisableAsync(Call call) =>
        TakeAwayAsync(call, static (commands, name) => commands.Accounts.Disable(name));

    private static ValueTask<Answer> GrantAsync(Call call) => new(Find(
        call, (account, commands) => Answer.Of(commands.Accounts.Grant(call.Body<GrantChange>().Of(account.Name)))));

    private static ValueTask<Answer> RevokeGrantAsync(Call call) =>
        TakeAwayAsync(call, (commands, name) => commands.Accounts.Revoke(call.Body<GrantChange>().Of(name)));

    private static ValueTask<Answer> IssueAsync(Call call)
    {
        var asked = call.Body<NewSecret>();
        return new(Find(call, (account, commands) => Answer.Of(commands.Credentials.Add(
            new AddCredential(
                account.Name,
                Label: asked.Label,
                ExpiresAfter: asked.ExpiresAfter is { } seconds ? TimeSpan.FromSeconds(seconds) : null)
            {
                IsApp = asked.IsApp,
                Scope = new CredentialScope(Networks: asked.Networks ?? default, Senders: asked.Senders ?? default),
            }))));
    }

    private static ValueTask<Answer> RevokeAsync(Call call) => TakeAwayAsync(
        call, (commands, name) => commands.Credentials.Revoke(new RevokeCredential(name, call.Get(Credential))));

    private static ImmutableArray<string> Or(ImmutableArray<string> some) => some.IsDefault ? [] : some;

    private static Answer Find(Call call, Func<AccountDetails, DirectoryCommands, Answer> then)
    {
        if (DirectoryDoor.Of(call) is not { } directory)
            return DirectoryDoor.None;
        var name = call.Get(Name)!;
        if (directory.Queries.Account(name) is { } account && call.Sees(account.Tenant))
            return then(account, directory.Commands);
        // The nearest name may be another tenant's.
        return Answer.No(
            Problems.NotFound,
            call.Caller.Tenant is null ? directory.Queries.NoSuchAccount(name).Message : $"there is no account '{name}'");
    }

    /// <summary>The sessions that rested on it end now, and their number is told.</summary>
    private static async ValueTask<Answer> TakeAwayAsync(Call call, Func<DirectoryCommands, string, AdminOutcome> change)
    {
        AdminOutcome? outcome = null;
        var answer = Find(call, (account, commands) => Answer.Of(outcome = change(commands, account.Name)));
        if (outcome is not AdminOutcome.Done)
            return answer;
        var reviewed = await call.Server.Sessions.ReviewAsync(CancellationToken.None);
        return Answer.Of(OutcomeDocument.Of(outcome) with { SessionsEnded = reviewed.Ended });
    }
}
