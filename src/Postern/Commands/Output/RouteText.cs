using Postern.Configuration;

namespace Postern.Commands.Output;

/// <summary>Routes as people read them.</summary>
internal static class RouteText
{
    public static string Describe(RouteOptions route) =>
        $"{string.Join(", then ", route.Route.Via)}{(route.Route.Login is { Credentials.User: var user } ? $", logs in as {user}" : string.Empty)}";
}
