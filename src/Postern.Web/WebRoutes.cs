using System.Collections.Immutable;
using Postern.Web.Api;
using Postern.Web.Calls;

namespace Postern.Web;

/// <summary>
/// Every line of the API, whichever door it is asked by: HTTPS, the Unix socket of the command line, the pages. Kept by hand: a new
/// resource is one file and one line here.
/// </summary>
internal static class WebRoutes
{
    public static ImmutableArray<Route> All { get; } =
    [
        .. ServerRoutes.All,
        .. QueueRoutes.All,
        .. MessageRoutes.All,
        .. EventRoutes.All,
        .. SessionRoutes.All,
        .. LoginRoutes.All,
        .. LimitRoutes.All,
        .. SuspensionRoutes.All,
        .. AccountRoutes.All,
        .. DomainRoutes.All,
        .. SuppressionRoutes.All,
        .. OperatorRoutes.All,
        .. KeyRoutes.All,
    ];
}
