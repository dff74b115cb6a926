module longshore.dev/hack/images

go 1.26.0
