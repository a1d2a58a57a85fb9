using Postern.Relay.Admin;

namespace Postern.Commands.Accounts;

/// <summary>Accounts in words.</summary>
internal static class AccountText
{
    public static string State(AccountDetails account) => account.Enabled ? "enabled" : "disabled";

    public static string LogsInBy(AccountDetails account) => account.LogsInBy ?? "nothing: no store has a password of it";

    public static string Grants(AccountDetails account) => account switch
    {
        { Addresses.IsEmpty: true, Domains.IsEmpty: true } => "nobody",
        _ => string.Join(", ", account.Addresses.Concat(account.Domains.Select(static d => $"*@{d}"))),
    };
}
