using System.Collections.Immutable;
using Postern.Configuration.Reading;

namespace Postern.Configuration;

/// <summary><c>delivery</c>: where accepted messages go, and how often that is tried.</summary>
internal sealed record DeliveryOptions(ImmutableArray<RouteOptions> Routes, RetryOptions Retry)
{
    public static DeliveryOptions Read(Section section) => new(
        section.Children("routes", RouteOptions.Read, [], "Next hops by recipient domain; the first that matches is taken. Without any route, messages are held."),
        section.Child("retry", RetryOptions.Read, "When a delivery that failed for now is tried again."));
}
