namespace Postern.Smtp.Overload;

/// <summary>How much a server takes on, by what it measures of itself. Ordered: each state is heavier than the one before it.</summary>
public enum LoadState
{
    /// <summary>All is as the options say.</summary>
    Normal,

    /// <summary>Shorter waits and fewer errors for every client, shorter still for those that did not log in; all mail is taken.</summary>
    Stressed,

    /// <summary>New connections are answered 421, MAIL on open ones with 421 or 452; what has begun may finish.</summary>
    Full,
}
