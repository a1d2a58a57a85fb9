using Postern.Relay.Delivery;
using Postern.Relay.Envelopes;
using Postern.Smtp.Grammar;

namespace Postern.Relay.Tests.Delivery;

/// <summary>Routes as tests ask them.</summary>
internal static class Routes
{
    public static RouteTable Table(params Route[] routes) => Assert.IsType<RouteParse.Ok>(RouteTable.Parse(routes)).Table;

    /// <summary>Where a message to that domain goes that nothing else is known of.</summary>
    public static NextHop Find(this RouteTable table, string domain) => table.Find(From("a@here.test"), To(domain));

    public static Mailbox To(string domain) => Mailbox.Parse($"b@{domain}");

    /// <param name="sender">Empty for the null path.</param>
    public static Envelope From(string sender, string? login = null, string? listener = null, string? tenant = null) => new()
    {
        Id = default,
        ArrivedAt = DateTimeOffset.UnixEpoch,
        Said = new(sender.Length == 0 ? ReversePath.Null : new(Mailbox.Parse(sender)), [Mailbox.Parse("b@there.test")]),
        Login = login,
        Listener = listener,
        Tenant = tenant,
    };
}
