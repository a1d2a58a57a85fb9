using Postern.Configuration;

namespace Postern.Commands.Output;

/// <summary>Routes as people read them.</summary>
internal static class RouteText
{
    public static string Describe(RouteOptions route) =>
        route.Login is { Credentials.User: var user } ? $"{route.Via}, logs in as {user}" : route.Via;
}
