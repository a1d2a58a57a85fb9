using System.Globalization;
using System.Net;

namespace Postern.Configuration.Doubts;

/// <summary>
/// Listeners of protocol <c>dovecot-auth</c> that others than this machine reach: nothing is encrypted there. Each by its key.
/// </summary>
internal static class OpenAuthService
{
    public static IEnumerable<(string Key, string Text)> Of(PosternConfiguration configuration)
    {
        for (var i = 0; i < configuration.Listeners.Length; i++)
        {
            var listener = configuration.Listeners[i];
            if (listener.AuthService is null
                || listener.Endpoints.FirstOrDefault(static e => !IPAddress.IsLoopback(e.Address)) is not { } open)
                continue;
            var key = string.Create(CultureInfo.InvariantCulture, $"listeners[{i}].listen");
            yield return (
                key,
                $"what other servers ask at {open} travels in clear, passwords included: a Unix socket, 127.0.0.1, or a tunnel is meant");
            if (listener.Clients is null)
                yield return (key, $"whoever reaches {open} can try passwords there, and say which client they are from: list 'clients'");
            if (listener.Mechanisms?.Contains("EXTERNAL") == true)
                yield return (key, $"whoever reaches {open} is believed by EXTERNAL to be whom he names: leave it out of 'mechanisms'");
        }
    }
}
