using System.Globalization;
using System.Net;
using System.Text;
using Postern.Relay.Accounts.Dovecot;

namespace Postern.Relay.Accounts.Stores.Dovecot;

/// <summary>What Dovecot is told of a client, beside what it says itself.</summary>
internal static class DovecotFacts
{
    /// <summary>
    /// The fields of a request, with a tab before each. <c>nologin</c>: nobody asks about this login once more; <c>no-penalty</c>: guesses
    /// are counted and slowed here, and Dovecot would make everybody behind one address wait.
    /// </summary>
    public static string Of(LoginClient client)
    {
        var fields = new StringBuilder("\tservice=smtp\tnologin\tno-penalty");
        var connection = client.Connection;
        if (connection?.IsSecured is true)
            fields.Append("\tsecured");
        Append(fields, "lip", "lport", connection?.Server);
        if (connection?.Client is { } known)
            Append(fields, "rip", "rport", known);
        else if (IPAddress.TryParse(client.Address, out var address))
            Append(fields, "rip", "rport", new IPEndPoint(address, 0));
        if (connection?.Session is { } session)
            fields.Append("\tsession=").Append(AuthLine.Field(session));
        return fields.ToString();
    }

    private static void Append(StringBuilder fields, string address, string port, IPEndPoint? place)
    {
        if (place is null)
            return;
        var plain = place.Address.IsIPv4MappedToIPv6 ? place.Address.MapToIPv4() : place.Address;
        // The scope of a link-local address is this machine's own.
        var text = plain.ScopeIdOrNone() == 0 ? plain : new IPAddress(plain.GetAddressBytes());
        fields.Append(CultureInfo.InvariantCulture, $"\t{address}={text}");
        if (place.Port > 0)
            fields.Append(CultureInfo.InvariantCulture, $"\t{port}={place.Port}");
    }

    private static long ScopeIdOrNone(this IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
