namespace Postern.Relay.Delivery;

/// <summary>What reading routes came to.</summary>
public abstract record RouteParse
{
    private RouteParse()
    {
    }

    public sealed record Ok(RouteTable Table) : RouteParse;

    /// <param name="Index">The route that is wrong.</param>
    /// <param name="Key"><c>to</c>, <c>from</c>, <c>via</c>, <c>login</c>, <c>ca</c>, <c>hello</c> or <c>same_name</c>.</param>
    /// <param name="Message">What was expected.</param>
    public sealed record Wrong(int Index, string Key, string Message) : RouteParse
    {
        /// <summary>Which of several values of the key it is; null where there is one.</summary>
        public int? Item { get; init; }
    }
}
