namespace Postern.Smtp.Policy;

/// <summary>How far an ETRN reaches.</summary>
public enum QueueScope
{
    /// <summary>The domain alone.</summary>
    Domain,

    /// <summary><c>@</c>: the domain and those below it.</summary>
    DomainAndBelow,

    /// <summary><c>#</c>: a queue by a name that server and client have agreed on.</summary>
    Queue,
}
